/**
 * `apply --applyset` (KEP-3659, kubectl pkg/cmd/apply/applyset.go): a parent object remembers which kinds and
 * namespaces a set of objects spans, each member carries the set's label, and pruning looks nowhere else. Known only
 * where KUBECTL_APPLYSET=true.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { base64url } from '../../api/pki/bytes.ts';
import { RELEASE } from '../../api/release.ts';
import { ApiError } from '../../api/request.ts';
import { type Loaded, listObjects, locate, type Target } from '../builder.ts';
import { groupVersionOf, pathOf, type ResourceInfo, resourceText } from '../discovery.ts';
import { AggregateFailure, isNotFound, KubectlError } from '../errors.ts';
import { utf8 } from '../gotemplate/format.ts';
import type { DryRun, ResultPrinter } from '../printers/result.ts';
import type { ObjectLike, Session } from '../session.ts';
import { validation } from './apply.ts';

const TOOLING = 'applyset.kubernetes.io/tooling';
const NAMESPACES = 'applyset.kubernetes.io/additional-namespaces';
const KINDS = 'applyset.kubernetes.io/contains-group-kinds';
const ID = 'applyset.kubernetes.io/id';
const PART_OF = 'applyset.kubernetes.io/part-of';
const IS_PARENT = 'applyset.kubernetes.io/is-parent-type';
const MANAGER = 'kubectl-applyset';
const BUILT_IN = new Set(['configmaps', 'secrets']);

interface Parent {
  readonly info: ResourceInfo;
  readonly name: string;
  readonly namespace: string;
}
/** What a set spans: kinds as `Deployment.apps`, and namespaces. */
interface Span {
  readonly kinds: ReadonlySet<string>;
  readonly namespaces: ReadonlySet<string>;
}
const NOTHING: Span = { kinds: new Set(), namespaces: new Set() };

export interface ApplySet {
  readonly parent: Parent;
  readonly id: string;
  /** What the parent said when it was read. */
  readonly before: Span;
}

const groupKind = ({ kind, group }: ResourceInfo): string => (group === '' ? kind : `${kind}.${group}`);
const shown = ({ info, name }: Parent): string => JSON.stringify(`${info.resource}.${info.group}/${name}`);
const idOf = ({ info, name, namespace }: Parent): string =>
  `applyset-${base64url(sha256(Uint8Array.from(utf8([name, namespace, info.kind, info.group].join('.')))))}-v1`;

/** Throws when the flag is given where nobody has asked for it to be known. */
export function requireApplySetAlpha({ flags, self }: Session): void {
  if (flags.text('applyset') !== '' && self.env['KUBECTL_APPLYSET'] !== 'true')
    throw new KubectlError("unknown flag: --applyset\nSee 'kubectl apply --help' for usage.");
}

/** The parent that --applyset names: `RESOURCE/NAME`, or the name of a Secret. Undefined without the flag. Rejects with KubectlError. */
export async function readApplySet(session: Session): Promise<Parent | undefined> {
  const { flags } = session;
  const given = flags.text('applyset');
  if (given === '') return undefined;
  const slash = given.indexOf('/');
  const resource = slash < 0 ? 'secrets' : given.slice(0, slash);
  const name = slash < 0 ? given : given.slice(slash + 1);
  const wrong = (why: string): KubectlError => new KubectlError(`invalid parent reference ${JSON.stringify(given)}: ${why}`);
  if (name === '') throw wrong('name cannot be blank');
  const info = await session.discovery.find(resource);
  if (!info) {
    const [plural, ...group] = resource.split('.');
    throw wrong(`no matches for ${group.join('.')}/, Resource=${plural}`);
  }
  return { info, name, namespace: info.namespaced && session.namespaceGiven ? session.namespace : '' };
}

/** What of the flags and of the parent's kind cannot be. Rejects with KubectlError, or several at once. */
export async function checkApplySet(session: Session, parent: Parent): Promise<void> {
  const { flags } = session;
  if (!flags.bool('prune')) throw new KubectlError('--applyset requires --prune');
  const errors: KubectlError[] = [];
  if (parent.info.namespaced && parent.namespace === '') errors.push(new KubectlError('namespace is required to use namespace-scoped ApplySet'));
  if (!(parent.info.group === '' && BUILT_IN.has(parent.info.resource)) && !(await isParentType(session, parent.info)))
    errors.push(new KubectlError(`resource ${JSON.stringify(resourceText(parent.info))} is not permitted as an ApplySet parent`));
  if (errors.length > 0) throw errors.length === 1 ? errors[0] : new AggregateFailure(errors);
  if (flags.bool('all')) throw new KubectlError('--all is incompatible with --applyset');
  if (flags.text('selector') !== '') throw new KubectlError('--selector is incompatible with --applyset');
  if (flags.all('prune-allowlist').length > 0) throw new KubectlError('--prune-allowlist is incompatible with --applyset');
}

/** A custom kind may be a parent when its definition says so. */
async function isParentType(session: Session, info: ResourceInfo): Promise<boolean> {
  if (info.group === '') return false;
  const definitions = await session.discovery.find('customresourcedefinitions.apiextensions.k8s.io');
  if (!definitions) return false;
  const { items } = await listObjects(session, definitions, { selector: IS_PARENT, chunk: 0, everything: true });
  return items.some(({ metadata }) => metadata.name === `${info.resource}.${info.group}`);
}

/** The objects with the set's label. Throws when one of them has such a label already. */
export function labelled(parent: Parent, loaded: readonly Loaded[]): readonly Loaded[] {
  const id = idOf(parent);
  return loaded.map((one) => {
    const { metadata } = one.object;
    if (metadata.labels && PART_OF in metadata.labels) throw new KubectlError(`ApplySet label ${JSON.stringify(PART_OF)} already set in input data`);
    return { ...one, object: { ...one.object, metadata: { ...metadata, labels: { ...metadata.labels, [PART_OF]: id } } } as ObjectLike };
  });
}

/** Reads the parent and writes into it what the set spans now and is about to, so that nothing is lost if the rest fails. */
export async function beforeApply(session: Session, parent: Parent, loaded: readonly Loaded[], dryRun: DryRun): Promise<ApplySet> {
  const set: ApplySet = { parent, id: idOf(parent), before: await spanOfParent(session, parent) };
  const next = await spanOf(session, loaded);
  const union = (a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> => new Set([...a, ...b]);
  await writeParent(session, set, { kinds: union(set.before.kinds, next.kinds), namespaces: union(set.before.namespaces, next.namespaces) }, dryRun);
  return set;
}

async function spanOf(session: Session, loaded: readonly Loaded[]): Promise<Span> {
  const kinds = new Set<string>();
  const namespaces = new Set<string>();
  for (const one of loaded) {
    const { info, namespace } = await locate(session, one);
    kinds.add(groupKind(info));
    if (info.namespaced) namespaces.add(namespace);
  }
  return { kinds, namespaces };
}

async function spanOfParent(session: Session, parent: Parent): Promise<Span> {
  let object: ObjectLike;
  try {
    object = (await session.request('GET', pathOf(parent.info, parent.namespace, parent.name))) as unknown as ObjectLike;
  } catch (error) {
    if (!isNotFound(error))
      throw error instanceof ApiError ? new KubectlError(`failed to fetch ApplySet parent object ${shown(parent)}: ${error.message}`) : error;
    if (parent.info.group !== '') throw new KubectlError('custom resource ApplySet parents cannot be created automatically');
    return NOTHING;
  }
  const { annotations = {}, labels = {} } = object.metadata;
  const tool = annotations[TOOLING];
  if (tool === undefined)
    throw new KubectlError(`ApplySet parent object ${shown(parent)} already exists and is missing required annotation ${JSON.stringify(TOOLING)}`);
  const manager = tool.split('/')[0]!;
  if (manager !== 'kubectl')
    throw new KubectlError(`ApplySet parent object ${shown(parent)} already exists and is managed by tooling ${JSON.stringify(manager)} instead of "kubectl"`);
  const id = labels[ID];
  if (id === undefined) throw new KubectlError(`ApplySet parent object ${shown(parent)} exists and does not have required label ${ID}`);
  const wanted = idOf(parent);
  if (id !== wanted)
    throw new KubectlError(
      `ApplySet parent object ${shown(parent)} exists and has incorrect value for label ${JSON.stringify(ID)} (got: ${id}, want: ${wanted})`,
    );
  const listed = (name: string): readonly string[] => (annotations[name] ?? '').split(',').filter((part) => part !== '');
  return { kinds: new Set(listed(KINDS)), namespaces: new Set([...listed(NAMESPACES), ...(parent.namespace ? [parent.namespace] : [])]) };
}

async function writeParent(session: Session, { parent, id }: ApplySet, span: Span, dryRun: DryRun): Promise<void> {
  if (dryRun === 'client') return;
  const { info, name, namespace } = parent;
  const body = {
    kind: info.kind,
    apiVersion: groupVersionOf(info),
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      creationTimestamp: null,
      labels: { [ID]: id },
      annotations: {
        [NAMESPACES]: [...span.namespaces]
          .filter((one) => one !== namespace)
          .sort()
          .join(','),
        [KINDS]: [...span.kinds].sort().join(','),
        [TOOLING]: `kubectl/${RELEASE.gitVersion}`,
      },
    },
  };
  const send = (force: boolean) =>
    session.request('PATCH', pathOf(info, namespace, name), {
      query: { fieldManager: MANAGER, ...validation(session), force: String(force), ...(dryRun === 'server' ? { dryRun: 'All' } : {}) },
      contentType: 'application/apply-patch+yaml',
      body,
    });
  try {
    await send(false).catch((error: unknown) => {
      if (error instanceof ApiError && error.status.reason === 'Conflict') return send(true);
      throw error;
    });
  } catch (error) {
    throw error instanceof ApiError ? new KubectlError(`failed to update ApplySet: ${error.message}`) : error;
  }
}

/** Deletes the members that were not applied now, and writes into the parent what is left. */
export async function pruneApplySet(session: Session, set: ApplySet, loaded: readonly Loaded[], dryRun: DryRun, printer: ResultPrinter): Promise<void> {
  const kept = new Set<string>();
  for (const one of loaded) {
    const { info, namespace, name } = await locate(session, one);
    kept.add(`${groupKind(info)}/${namespace}/${name}`);
  }
  for (const { info, namespace, name, object } of await members(session, set)) {
    if (kept.has(`${groupKind(info)}/${namespace}/${name}`)) continue;
    if (dryRun !== 'client') await remove(session, info, namespace, name, dryRun);
    printer.print(info, object, 'pruned');
  }
  try {
    await writeParent(session, set, await spanOf(session, loaded), dryRun);
  } catch (error) {
    throw error instanceof KubectlError ? new KubectlError(`apply and prune succeeded, but ApplySet update failed: ${error.message}`) : error;
  }
}

/** What carries the set's label where the parent said to look. Upstream looks everywhere at once; the order here is that of the names. */
async function members(session: Session, { before, id }: ApplySet): Promise<readonly (Target & { readonly object: ObjectLike })[]> {
  const found: (Target & { readonly object: ObjectLike })[] = [];
  const all = await session.discovery.all();
  for (const kind of [...before.kinds].sort()) {
    const known = all.filter((info) => groupKind(info) === kind);
    const info = known.find(({ preferred }) => preferred) ?? known[0];
    if (!info)
      throw new KubectlError(
        `parsing ApplySet annotation: could not find mapping for kind in ${JSON.stringify(KINDS)} annotation: no matches for kind ${JSON.stringify(kind)}`,
      );
    for (const namespace of info.namespaced ? [...before.namespaces].sort() : ['']) {
      const { items } = await listObjects(session, info, { selector: `${PART_OF}=${id}`, chunk: 0, ...(namespace ? { namespace } : { everything: true }) });
      for (const object of items) found.push({ info, namespace, name: object.metadata.name ?? '', object });
    }
  }
  return found;
}

async function remove(session: Session, info: ResourceInfo, namespace: string, name: string, dryRun: DryRun): Promise<void> {
  const grace = session.flags.number('grace-period');
  const cascade = session.flags.text('cascade');
  const propagationPolicy = cascade === 'orphan' || cascade === 'false' ? 'Orphan' : cascade === 'foreground' ? 'Foreground' : 'Background';
  const body = { propagationPolicy, ...(grace >= 0 ? { gracePeriodSeconds: grace } : {}), ...(dryRun === 'server' ? { dryRun: ['All'] } : {}) };
  try {
    await session.request('DELETE', pathOf(info, namespace, name), { body });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
