/** kubectl label and annotate (kubectl pkg/cmd/label, pkg/cmd/annotate). */
import type { Json } from '../../api/json.ts';
import { labelValueErrors } from '../../api/names.ts';
import { twoWayPatch } from '../../api/three-way.ts';
import { fromFiles, type Loaded, loadFiles, locate, resolveObjects, type Target } from '../builder.ts';
import { sendPatch } from '../change.ts';
import { AggregateFailure, KubectlError } from '../errors.ts';
import { bool, DRY_RUN_FLAGS, FILE_FLAGS, type FlagSpecs, PRINT_FLAGS, SELECTOR_FLAGS, text } from '../flags.ts';
import { goJson } from '../printers/objects.ts';
import { dryRunOf, ResultPrinter } from '../printers/result.ts';
import type { ObjectLike, Session } from '../session.ts';
import type { Command } from './command.ts';

type What = 'label' | 'annotation';
type Found = Target & { readonly object: ObjectLike };

const FLAGS: FlagSpecs = {
  ...FILE_FLAGS,
  ...PRINT_FLAGS,
  ...DRY_RUN_FLAGS,
  ...SELECTOR_FLAGS,
  overwrite: bool(),
  list: bool(),
  local: bool(),
  'resource-version': text(),
};

export const label: Command = {
  summary: 'Update the labels on a resource',
  usage: 'kubectl label [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version] [options]',
  flags: { ...FLAGS, 'field-manager': text(undefined, 'kubectl-label') },
  run: (session, args) => change(session, args, 'label'),
};

export const annotate: Command = {
  summary: 'Update the annotations on a resource',
  usage: 'kubectl annotate [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version] [options]',
  flags: { ...FLAGS, 'field-manager': text(undefined, 'kubectl-annotate') },
  run: (session, args) => change(session, args, 'annotation'),
};

interface Edits {
  readonly set: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
}

/** Resources first, then `key=value` and `key-` (cmdutil.GetResourcesAndPairs). */
export function splitPairs(args: readonly string[], what: string): { readonly resources: readonly string[]; readonly pairs: readonly string[] } {
  const isPair = (arg: string): boolean => (arg.includes('=') && !arg.startsWith('=')) || (arg.endsWith('-') && arg !== '-');
  const first = args.findIndex(isPair);
  if (first < 0) return { resources: args, pairs: [] };
  const pairs = args.slice(first);
  const late = pairs.find((arg) => !isPair(arg));
  if (late !== undefined) throw new KubectlError(`all resources must be specified before ${what} changes: ${late}`);
  return { resources: args.slice(0, first), pairs };
}

function editsOf(pairs: readonly string[], what: What): Edits {
  const set = new Map<string, string>();
  const remove: string[] = [];
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 0) {
      remove.push(pair.slice(0, -1));
      continue;
    }
    const value = pair.slice(at + 1);
    if (what === 'label') {
      if (value.includes('=')) throw new KubectlError(`invalid label spec: ${pair}`);
      const errors = labelValueErrors(value);
      if (errors.length > 0) throw new KubectlError(`invalid label value: ${JSON.stringify(pair)}: ${errors.join(';')}`);
    }
    set.set(pair.slice(0, at), value);
  }
  const both = remove.filter((key) => set.has(key));
  if (both.length > 0)
    throw new KubectlError(
      what === 'label'
        ? 'can not both modify and remove a label in the same command'
        : `can not both modify and remove the following annotation(s) in the same command: ${both.join(', ')}`,
    );
  return { set, remove };
}

async function change(session: Session, args: readonly string[], what: What): Promise<void> {
  const { flags } = session;
  const dryRun = dryRunOf(session);
  const list = flags.bool('list');
  const local = flags.bool('local');
  const { resources, pairs } = splitPairs(args, what);
  const edits = editsOf(pairs, what);
  if (list && flags.text('output') !== '') throw new KubectlError('--list and --output may not be specified together');
  if (flags.bool('all') && flags.text('selector') !== '') throw new KubectlError('cannot set --all and --selector at the same time');
  if (flags.bool('all') && flags.text('field-selector') !== '') throw new KubectlError('cannot set --all and --field-selector at the same time');
  const filed = fromFiles(session);
  if (local) {
    if (dryRun === 'server') throw new KubectlError('cannot specify --local and --dry-run=server - did you mean --dry-run=client?');
    if (resources.length > 0) throw new KubectlError('can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set');
    if (!filed) throw new KubectlError('one or more files must be specified as -f pod.yaml or --filename=pod.json');
  } else if (resources.length === 0 && !filed) throw new KubectlError('one or more resources must be specified as <resource> <name> or <resource>/<name>');
  if (pairs.length === 0 && !list) throw new KubectlError(`at least one ${what} update is required`);

  const { found, failures } = local ? await fromFilesOnly(session, await loadFiles(session)) : await resolveObjects(session, resources);
  const single = found.length === 1 && failures.length === 0;
  const version = flags.text('resource-version');
  if (version !== '' && found.length > 1) throw new KubectlError('--resource-version may only be used with a single resource');
  const printer = new ResultPrinter(session, dryRun);
  const errors: unknown[] = [...failures];
  for (const target of found) {
    try {
      await changeOne(session, target, what, edits, single, printer);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateFailure(errors);
}

async function fromFilesOnly(
  session: Session,
  loaded: readonly Loaded[],
): Promise<{ readonly found: readonly Found[]; readonly failures: readonly unknown[] }> {
  const found: Found[] = [];
  // As the file has it: nothing is added where nothing is sent.
  for (const one of loaded) found.push({ ...(await locate(session, one)), object: one.object });
  return { found, failures: [] };
}

async function changeOne(session: Session, target: Found, what: What, edits: Edits, single: boolean, printer: ResultPrinter): Promise<void> {
  const { flags } = session;
  const field = what === 'label' ? 'labels' : 'annotations';
  const dryRun = dryRunOf(session);
  const version = flags.text('resource-version');
  // The version asked for must show in the patch, so it is taken out of what the patch is made from.
  const { resourceVersion: _, ...unversioned } = target.object.metadata;
  const before = version === '' ? target.object : ({ ...target.object, metadata: unversioned } as ObjectLike);
  const current = before.metadata[field] ?? {};
  const send = dryRun !== 'client' && !flags.bool('local') && !flags.bool('list');
  if (what === 'label' && send) for (const key of edits.remove) if (!Object.hasOwn(current, key)) session.out(`label ${JSON.stringify(key)} not found.\n`);
  if (!flags.bool('overwrite')) {
    const taken = [...edits.set]
      .filter(([key, value]) => Object.hasOwn(current, key) && current[key] !== value)
      .map(([key]) => `'${key}' already has a value (${current[key]})`);
    if (taken.length > 0)
      throw what === 'label'
        ? severalErrors(taken.map((one) => `${one}, and --overwrite is false`))
        : new KubectlError(`--overwrite is false but found the following declared annotation(s): ${taken.join('; ')}`);
  }
  const values: Record<string, string> = { ...current, ...Object.fromEntries(edits.set) };
  for (const key of edits.remove) delete values[key];
  const { [field]: had, ...others } = before.metadata;
  const kept = Object.keys(values).length > 0 || had !== undefined;
  const metadata = { ...others, ...(kept ? { [field]: values } : {}), ...(version === '' ? {} : { resourceVersion: version }) };
  const after = { ...before, metadata } as ObjectLike;
  if (flags.bool('list')) {
    const indent = single ? '' : ' ';
    if (!single) session.out(`Listing ${field} for ${target.info.kind}.${target.info.group}/${target.name}:\n`);
    for (const key of Object.keys(values).sort()) session.out(`${indent}${key}=${values[key]}\n`);
    return;
  }
  const result = send
    ? await sendPatch(session, target, 'merge', twoWayPatch(undefined, before, after) as Json, {
        manager: `kubectl-${what === 'label' ? 'label' : 'annotate'}`,
        dryRun,
      })
    : after;
  printer.print(target.info, result, what === 'annotation' ? 'annotated' : labelOutcome(before, after, flags.bool('overwrite')));
}

function severalErrors(texts: readonly string[]): Error {
  return texts.length === 1 ? new KubectlError(texts[0]!) : new AggregateFailure(texts.map((one) => new KubectlError(one)));
}

/** label.go's updateDataChangeMsg: a shorter object counts as one with a label less. */
function labelOutcome(before: ObjectLike, after: ObjectLike, overwrite: boolean): string {
  const [old, now] = [goJson(before as unknown as Json, 0), goJson(after as unknown as Json, 0)];
  if (old === now) return 'not labeled';
  return !overwrite && now.length < old.length ? 'unlabeled' : 'labeled';
}
