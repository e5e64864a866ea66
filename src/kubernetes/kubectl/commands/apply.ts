/** kubectl apply: the three-way merge on the client, or --server-side. */
import type { Json } from '../../api/json.ts';
import { ApiError } from '../../api/request.ts';
import { SCHEMA } from '../../api/schema.ts';
import { LAST_APPLIED, threeWayPatch } from '../../api/three-way.ts';
import { dump } from '../../api/yaml.ts';
import { forEach, getObject, type Loaded, loadFiles, locate, resolveObjects, type Target } from '../builder.ts';
import { pathOf, resourceText } from '../discovery.ts';
import { isNotFound, KubectlError, usageError, withSource } from '../errors.ts';
import { bool, DRY_RUN_FLAGS, FILE_FLAGS, PRINT_FLAGS, text } from '../flags.ts';
import { goJson } from '../printers/objects.ts';
import { type DryRun, dryRunOf, ResultPrinter, writeQuery } from '../printers/result.ts';
import type { ObjectLike, Session } from '../session.ts';
import { applyOnServer } from './apply-server-side.ts';
import { beforeApply, checkApplySet, labelled, pruneApplySet, readApplySet, requireApplySetAlpha } from './applyset.ts';
import type { Command } from './command.ts';
import { editLastApplied } from './edit-last-applied.ts';
import { kindsOf, PRUNE_FLAGS, prune, requirePruneScope } from './prune.ts';
import { setLastApplied } from './set-last-applied.ts';

export const apply: Command = {
  summary: 'Apply a configuration to a resource by file name or stdin',
  usage: 'kubectl apply (-f FILENAME | -k DIRECTORY) [options]',
  flags: {
    ...FILE_FLAGS,
    ...PRINT_FLAGS,
    ...DRY_RUN_FLAGS,
    'server-side': bool(),
    'force-conflicts': bool(),
    force: bool(),
    'field-manager': text(undefined, 'kubectl-client-side-apply'),
    cascade: { type: 'string', bare: 'background', default: 'background' },
    'openapi-patch': { type: 'bool', default: 'true' },
    subresource: text(),
    validate: { type: 'string', bare: 'strict', default: 'strict' },
    overwrite: { type: 'bool', default: 'true' },
    selector: text('l'),
    'grace-period': { type: 'int', default: '-1' },
    timeout: { type: 'duration', default: '0' },
    wait: bool(),
    ...PRUNE_FLAGS,
    all: bool(),
    applyset: { type: 'string', hidden: true },
  },
  subcommands: {
    'view-last-applied': {
      summary: 'View the latest last-applied-configuration annotations of a resource/object',
      usage: 'kubectl apply view-last-applied (TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME) [options]',
      flags: { ...FILE_FLAGS, output: text('o', 'yaml'), selector: text('l'), all: bool() },
      run: viewLastApplied,
    },
    'edit-last-applied': editLastApplied,
    'set-last-applied': setLastApplied,
  },
  run: async (session, args) => {
    if (args.length > 0) throw usageError('kubectl apply', `Unexpected args: [${args.join(' ')}]`);
    if (session.flags.bool('force-conflicts') && !session.flags.bool('server-side')) throw new KubectlError('--force-conflicts only works with --server-side');
    requireApplySetAlpha(session);
    const parent = await readApplySet(session);
    if (parent) await checkApplySet(session, parent);
    else {
      requirePruneScope(session);
      if (session.flags.bool('prune')) await kindsOf(session);
    }
    const dryRun = dryRunOf(session);
    if (dryRun === 'client' && session.flags.bool('server-side'))
      throw new KubectlError("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)");
    const printer = new ResultPrinter(session, dryRun);
    const files = await loadFiles(session);
    const loaded = parent ? labelled(parent, files) : files;
    const set = parent && (await beforeApply(session, parent, loaded, dryRun));
    await forEach(loaded, (one) =>
      session.flags.bool('server-side') ? applyOnServer(session, one, dryRun, printer) : applyOne(session, one, dryRun, printer),
    );
    if (set) await pruneApplySet(session, set, loaded, dryRun, printer);
    else if (session.flags.bool('prune')) {
      const targets: Target[] = [];
      for (const one of loaded) targets.push(await locate(session, one));
      await prune(session, targets, dryRun, printer);
    }
  },
};

async function viewLastApplied(session: Session, args: readonly string[]): Promise<void> {
  const output = session.flags.text('output');
  if (output !== 'yaml' && output !== 'json')
    throw usageError('kubectl apply view-last-applied', `Unexpected -o output mode: ${output}, the flag 'output' must be one of yaml|json`);
  const { found, failures } = await resolveObjects(session, args);
  for (const { object } of found) {
    const last = object.metadata.annotations?.[LAST_APPLIED];
    // Upstream means to complain here, and wraps an error that is none.
    if (last === undefined) continue;
    session.out(output === 'json' ? `${goJson(JSON.parse(last) as Json)}\n` : dump(JSON.parse(last) as Json));
  }
  if (failures.length > 0) throw failures[0];
}

export const validation = (session: Session): { fieldValidation?: string } => {
  switch (session.flags.text('validate')) {
    case 'false':
    case 'ignore':
      return { fieldValidation: 'Ignore' };
    case 'warn':
      return { fieldValidation: 'Warn' };
    default:
      return { fieldValidation: 'Strict' };
  }
};

/** The object with the annotation that remembers it: what `apply` creates and compares with. */
export function withLastApplied(object: ObjectLike): ObjectLike {
  const { [LAST_APPLIED]: _, ...annotations } = object.metadata.annotations ?? {};
  const bare = { ...object, metadata: { ...object.metadata, annotations } };
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [LAST_APPLIED]: `${goJson(bare as unknown as Json, 0)}\n` } } };
}

async function applyOne(session: Session, loaded: Loaded, dryRun: DryRun, printer: ResultPrinter): Promise<void> {
  const target = await locate(session, loaded);
  const { info } = target;
  if (target.name === '')
    throw new KubectlError(
      `error when retrieving current configuration of:\nResource: "${resourceText(info)}", GroupVersionKind: "${info.group}/${info.version}, Kind=${info.kind}"\nName: "", Namespace: ${JSON.stringify(target.namespace)}\nfrom server for: ${JSON.stringify(loaded.source)}: resource name may not be empty`,
    );
  const modified = withLastApplied(target.object);
  let live: ObjectLike;
  try {
    live = await getObject(session, target);
  } catch (error) {
    if (!isNotFound(error)) {
      throw error instanceof ApiError
        ? new ApiError({
            ...error.status,
            message: `error when retrieving current configuration of:\nResource: "${resourceText(info)}", GroupVersionKind: "${info.group}/${info.version}, Kind=${info.kind}"\nName: ${JSON.stringify(target.name)}, Namespace: ${JSON.stringify(target.namespace)}\nfrom server for: ${JSON.stringify(loaded.source)}: ${error.status.message ?? ''}`,
          })
        : error;
    }
    if (dryRun === 'client') return printer.print(info, modified, 'created');
    try {
      const created = await session.request('POST', pathOf(info, target.namespace), {
        query: { ...writeQuery(session, 'kubectl-client-side-apply', dryRun), ...validation(session) },
        body: modified as unknown as Json,
      });
      return printer.print(info, created as unknown as ObjectLike, 'created');
    } catch (failure) {
      throw withSource(failure, 'creating', loaded.source);
    }
  }
  const last = live.metadata.annotations?.[LAST_APPLIED];
  if (last === undefined)
    session.err(
      `Warning: resource ${info.resource}/${target.name} is missing the ${LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.\n`,
    );
  let original: ObjectLike | undefined;
  if (last !== undefined) {
    try {
      original = JSON.parse(last) as ObjectLike;
    } catch {
      original = undefined;
    }
  }
  const strategic = isBuiltIn(info.kind, info.group, info.version);
  const patch = threeWayPatch(strategic ? modelFor(info.kind, info.group) : undefined, original, modified, live);
  if (Object.keys(patch).length === 0) return printer.print(info, live, 'unchanged');
  if (dryRun === 'client') return printer.print(info, live, 'configured');
  try {
    const patched = await session.request('PATCH', pathOf(info, target.namespace, target.name), {
      query: { ...writeQuery(session, 'kubectl-client-side-apply', dryRun), ...validation(session) },
      contentType: strategic ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json',
      body: patch as Json,
    });
    printer.print(info, patched as unknown as ObjectLike, 'configured');
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const where = `Resource: "${resourceText(info)}", GroupVersionKind: "${info.group}/${info.version}, Kind=${info.kind}"\nName: ${JSON.stringify(target.name)}, Namespace: ${JSON.stringify(target.namespace)}`;
    throw new ApiError({
      ...error.status,
      message: `error when applying patch:\n${goJson(patch as Json, 0)}\nto:\n${where}\nfor: ${JSON.stringify(loaded.source)}: error when patching ${JSON.stringify(loaded.source)}: ${error.status.message ?? ''}`,
    });
  }
}

/** The schema's name of a kind; where two groups have one, `SCHEMA` is keyed by the type's own name. */
export const modelFor = (kind: string, group: string): string => (kind === 'Event' && group === '' ? 'CoreV1Event' : kind);
/** Kinds compiled into kubectl take strategic merge patches; custom resources take merge patches. */
export function isBuiltIn(kind: string, group: string, version: string): boolean {
  const gvk = SCHEMA[kind]?.gvk;
  return gvk !== undefined && gvk[0] === group && gvk[1] === version;
}
