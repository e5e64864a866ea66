/**
 * kubectl apply --server-side: the server merges. What client-side apply owned before is handed over on the way
 * (kubectl `pkg/cmd/apply/apply.go`, client-go `util/csaupgrade`).
 */
import type { Json } from '../../api/json.ts';
import type { ObjectMeta } from '../../api/meta.ts';
import { ApiError } from '../../api/request.ts';
import { LAST_APPLIED } from '../../api/three-way.ts';
import { type Loaded, locate, type Target } from '../builder.ts';
import { pathOf } from '../discovery.ts';
import { KubectlError } from '../errors.ts';
import type { DryRun, ResultPrinter } from '../printers/result.ts';
import type { ObjectLike, Session } from '../session.ts';
import { validation } from './apply.ts';

const CLIENT_SIDE = 'kubectl-client-side-apply';
const SERVER_SIDE = 'kubectl';
const LAST_APPLIED_MANAGER = 'kubectl-last-applied';
const MOST_TRIES = 5;

interface Fields {
  readonly [element: string]: Fields;
}
type Entries = readonly NonNullable<ObjectMeta['managedFields']>[number][];
type Entry = Entries[number];

const entriesOf = (object: ObjectLike): Entries => (object.metadata.managedFields ?? []) as Entries;

/** The manager to apply as: the flag, whose default is client-side apply's, which never is one here. */
function managerOf(session: Session): string {
  const asked = session.flags.text('field-manager');
  return asked === '' || asked === CLIENT_SIDE ? SERVER_SIDE : asked;
}

export async function applyOnServer(session: Session, loaded: Loaded, dryRun: DryRun, printer: ResultPrinter): Promise<void> {
  const target = await locate(session, loaded);
  const manager = managerOf(session);
  const query = { ...(dryRun === 'server' ? { dryRun: 'All' } : {}), ...validation(session) };
  const subresource = session.flags.text('subresource');
  const path = `${pathOf(target.info, target.namespace, target.name)}${subresource ? `/${subresource}` : ''}`;
  const send = async (object: ObjectLike, fieldManager: string, more: Record<string, string> = {}): Promise<ObjectLike> =>
    (await session.request('PATCH', path, {
      query: { fieldManager, ...query, ...more },
      contentType: 'application/apply-patch+yaml',
      body: object as unknown as Json,
    })) as unknown as ObjectLike;
  const force = { force: String(session.flags.bool('force-conflicts')) };
  let applied: ObjectLike;
  try {
    applied = await send(target.object, manager, force);
  } catch (error) {
    if (error instanceof ApiError && error.status.reason === 'Conflict') throw new KubectlError(`${error.status.message}\n${ADVICE}`);
    throw error;
  }
  try {
    applied = await keepAnnotation(target, applied, manager, (object) => send(object, LAST_APPLIED_MANAGER));
    if (await handOver(session, path, applied, manager, query)) applied = await send(target.object, manager, force);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    session.err(
      `Warning: server rejected managed fields migration to Server-Side Apply. This is non-fatal and will be retried next time you apply. Error: ${error.status.message ?? ''}\n`,
    );
  }
  printer.print(target.info, applied, 'serverside-applied');
}

/** The annotation of client-side apply gets an owner of its own, so that it is not lost with its old one. */
async function keepAnnotation(
  { info, namespace, name }: Target,
  live: ObjectLike,
  manager: string,
  send: (object: ObjectLike) => Promise<ObjectLike>,
): Promise<ObjectLike> {
  const last = live.metadata.annotations?.[LAST_APPLIED];
  if (manager !== SERVER_SIDE || last === undefined || ownersOfAnnotation(live, 'Apply').length > 0) return live;
  const metadata = { name, ...(namespace ? { namespace } : {}), annotations: { [LAST_APPLIED]: last } };
  return send({ apiVersion: info.group ? `${info.group}/${info.version}` : info.version, kind: info.kind, metadata });
}

/** Whoever applied on the client's side before becomes this manager. True when that changed anything. */
async function handOver(session: Session, path: string, live: ObjectLike, manager: string, query: Record<string, string>): Promise<boolean> {
  const names = [...new Set(ownersOfAnnotation(live, 'Update').map((entry) => entry.manager ?? ''))];
  let object = live;
  for (let attempt = 1; ; attempt++) {
    const before = entriesOf(object);
    const after = names.reduce((entries, name) => upgraded(entries, name, manager), before);
    if (after === before) return false;
    const patch = [
      { op: 'replace', path: '/metadata/managedFields', value: after },
      { op: 'replace', path: '/metadata/resourceVersion', value: object.metadata.resourceVersion },
    ];
    try {
      await session.request('PATCH', path, {
        query: { fieldManager: manager, ...query },
        contentType: 'application/json-patch+json',
        body: patch as unknown as Json,
      });
      return true;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status.reason !== 'Conflict' || attempt >= MOST_TRIES) throw error;
      object = (await session.request('GET', path)) as unknown as ObjectLike;
    }
  }
}

function ownersOfAnnotation(object: ObjectLike, operation: 'Apply' | 'Update'): readonly Entry[] {
  return entriesOf(object).filter((entry) => {
    const fields = entry.fieldsV1 as Fields | undefined;
    return entry.operation === operation && !entry.subresource && fields?.['f:metadata']?.['f:annotations']?.[`f:${LAST_APPLIED}`] !== undefined;
  });
}

const isUpdater = (entry: Entry, name: string): boolean => entry.manager === name && entry.operation === 'Update' && !entry.subresource;

/** The entries with the updater `name` merged into the applier `manager`, which it becomes if there is none. */
function upgraded(entries: Entries, name: string, manager: string): Entries {
  const out = [...entries];
  let at = out.findIndex((entry) => entry.manager === manager && entry.operation === 'Apply' && !entry.subresource);
  if (at < 0) {
    at = out.findIndex((entry) => isUpdater(entry, name));
    if (at < 0) return entries;
    out[at] = { ...out[at], manager, operation: 'Apply' };
  }
  const applier = out[at]!;
  const updater = out.find((entry) => isUpdater(entry, name) && entry.apiVersion === applier.apiVersion);
  if (updater) out[at] = { ...applier, fieldsV1: both(applier.fieldsV1 as Fields | undefined, updater.fieldsV1 as Fields | undefined) };
  return out.filter((entry) => !isUpdater(entry, name));
}

/** All fields of two sets. A node that is empty owns itself; one that is not does so if it says `.`. */
function both(a: Fields | undefined, b: Fields | undefined): Fields {
  if (!a || !b) return a ?? b ?? {};
  const [left, right] = [Object.keys(a), Object.keys(b)];
  if (left.length === 0 && right.length === 0) return {};
  const own = left.length === 0 || right.length === 0 || '.' in a || '.' in b;
  const out: Record<string, Fields> = own ? { '.': {} } : {};
  for (const key of new Set([...left, ...right])) if (key !== '.') out[key] = both(a[key], b[key]);
  return out;
}

const ADVICE = [
  'Please review the fields above--they currently have other managers. Here',
  'are the ways you can resolve this warning:',
  '* If you intend to manage all of these fields, please re-run the apply',
  '  command with the `--force-conflicts` flag.',
  '* If you do not intend to manage all of the fields, please edit your',
  '  manifest to remove references to the fields that should keep their',
  '  current managers.',
  '* You may co-own fields by updating your manifest to match the existing',
  "  value; in this case, you'll become the manager if the other manager(s)",
  '  stop managing the field (remove it from their configuration).',
  'See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts',
].join('\n');
