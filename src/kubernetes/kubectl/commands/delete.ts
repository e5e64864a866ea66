/** kubectl delete. */
import type { Json } from '../../api/json.ts';
import { fromFiles, getObject, listObjects, loadFiles, locate, MUST_PROVIDE, select, type Target } from '../builder.ts';
import { pathOf, shownName } from '../discovery.ts';
import { AggregateFailure, isNotFound, KubectlError } from '../errors.ts';
import { bool, DRY_RUN_FLAGS, FILE_FLAGS, SELECTOR_FLAGS, text } from '../flags.ts';
import { dryRunOf } from '../printers/result.ts';
import { isObject, type JsonObject, type Session } from '../session.ts';
import { watchUntil } from '../wait.ts';
import type { Command } from './command.ts';

export const remove: Command = {
  summary: 'Delete resources by file names, stdin, resources and names, or by resources and label selector',
  usage: 'kubectl delete ([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)]) [options]',
  flags: {
    ...FILE_FLAGS,
    ...SELECTOR_FLAGS,
    ...DRY_RUN_FLAGS,
    'grace-period': { type: 'int', default: '-1' },
    force: bool(),
    now: bool(),
    wait: { type: 'bool', default: 'true' },
    timeout: { type: 'duration', default: '0' },
    cascade: { type: 'string', bare: 'background', default: 'background' },
    'ignore-not-found': bool(),
    output: text('o'),
    raw: text(),
    interactive: bool('i'),
  },
  run: async (session, args) => {
    const { flags } = session;
    if (flags.has('raw')) {
      session.out(`${JSON.stringify(await session.request('DELETE', flags.text('raw')))}\n`);
      return;
    }
    const dryRun = dryRunOf(session);
    let grace = flags.number('grace-period');
    if (flags.bool('now')) {
      if (grace !== -1) throw new KubectlError('--now and --grace-period cannot be specified together');
      grace = 1;
    }
    if (grace === 0 && !flags.bool('force')) grace = 1;
    if (flags.bool('force') && grace < 0) grace = 0;
    if (flags.bool('force') && grace > 0) throw new KubectlError('--force and --grace-period greater than 0 cannot be specified together');
    if (flags.bool('force') && grace === 0)
      session.err(
        'Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n',
      );
    const output = flags.text('output');
    if (output !== '' && output !== 'name') throw new KubectlError(`unexpected -o output mode: ${output}. We only support '-o name'`);
    const policy = { background: 'Background', foreground: 'Foreground', orphan: 'Orphan', true: 'Background', false: 'Orphan' }[flags.text('cascade')];
    if (!policy) throw new KubectlError(`invalid cascade value (${flags.text('cascade')}). Must be "background", "foreground", or "orphan"`);

    const failures: unknown[] = [];
    let warned = false;
    const targets = await targetsOf(session, args);
    if (targets.length === 0) {
      if (!fromFiles(session)) session.out('No resources found\n');
      return;
    }
    const deleted: (Target & { readonly uid: string | undefined })[] = [];
    for (const target of targets) {
      if (dryRun === 'client') {
        say(session, target, '(dry run)', grace);
        continue;
      }
      if (!target.info.namespaced && session.namespaceGiven && !warned) {
        session.err('Warning: deleting cluster-scoped resources, not scoped to the provided namespace\n');
        warned = true;
      }
      const body: Record<string, Json> = { propagationPolicy: policy };
      if (grace >= 0) body['gracePeriodSeconds'] = grace;
      if (dryRun === 'server') body['dryRun'] = ['All'];
      try {
        const answer = await session.request('DELETE', pathOf(target.info, target.namespace, target.name), { body });
        say(session, target, dryRun === 'server' ? '(server dry run)' : '', grace);
        deleted.push({ ...target, uid: uidOf(answer) });
      } catch (error) {
        if (isNotFound(error) && (flags.bool('ignore-not-found') || flags.bool('all') || flags.text('selector') !== '')) continue;
        failures.push(error);
      }
    }
    if (flags.bool('wait') && dryRun === 'none' && !flags.bool('force')) {
      const timeout = flags.duration('timeout');
      for (const target of deleted) await waitGone(session, target, timeout);
    }
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateFailure(failures);
  },
};

/** A DELETE answers with the object that lives on, or with a Status whose details carry the uid. */
function uidOf(answer: Json): string | undefined {
  if (!isObject(answer)) return undefined;
  const source = answer['kind'] === 'Status' ? answer['details'] : answer['metadata'];
  return isObject(source) && typeof source['uid'] === 'string' ? source['uid'] : undefined;
}

function say(session: Session, target: Target, suffix: string, grace: number): void {
  if (session.flags.text('output') === 'name') session.out(`${shownName(target.info, target.name)}\n`);
  else {
    const [type, name] = shownName(target.info, target.name).split('/');
    session.out(`${type} ${JSON.stringify(name)} ${grace === 0 ? 'force deleted' : 'deleted'}${suffix ? ` ${suffix}` : ''}\n`);
  }
}

async function targetsOf(session: Session, args: readonly string[]): Promise<readonly Target[]> {
  const { flags } = session;
  if (fromFiles(session)) {
    const found: Target[] = [];
    for (const loaded of await loadFiles(session)) {
      const target = await locate(session, loaded);
      found.push({ info: target.info, namespace: target.namespace, name: target.name });
    }
    return found;
  }
  if (args.length === 0) throw new KubectlError(MUST_PROVIDE);
  const selector = flags.text('selector');
  const fieldSelector = flags.text('field-selector');
  if (flags.bool('all') && selector) throw new KubectlError("setting 'all' parameter but found a non empty selector. ");
  const everything = flags.bool('all-namespaces');
  if (flags.bool('all') && args.length > 1 && !args.some((arg) => arg.includes('/')))
    throw new KubectlError('name cannot be provided when a selector is specified');
  const selection = await select(session, args, { selector, everything: false });
  const found: Target[] = [...selection.targets];
  for (const info of selection.lists) {
    if (!selector && !fieldSelector && !flags.bool('all')) throw new KubectlError('resource(s) were provided, but no name was specified');
    const list = await listObjects(session, info, { everything, selector, fieldSelector, chunk: 0 });
    for (const item of list.items) found.push({ info, namespace: item.metadata.namespace ?? '', name: item.metadata.name ?? '' });
  }
  return found;
}

async function waitGone(session: Session, target: Target & { readonly uid: string | undefined }, timeout: number): Promise<void> {
  const gone = (object: JsonObject | undefined): boolean =>
    object === undefined || (target.uid !== undefined && (object['metadata'] as JsonObject)['uid'] !== target.uid);
  try {
    if (gone(await getObject(session, target))) return;
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  if ((await watchUntil(session, target, timeout, gone)) === 'timeout')
    throw new KubectlError(`timed out waiting for the condition on ${target.info.resource}/${target.name}`);
}
