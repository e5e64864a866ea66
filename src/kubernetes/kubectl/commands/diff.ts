/**
 * kubectl diff (kubectl pkg/cmd/diff): what apply would change, as `diff -u -N` tells it of two directories. The merged
 * object is the server's own answer to the same patch as a dry run.
 */
import { structuredPatch } from 'diff';
import type { Json } from '../../api/json.ts';
import { LAST_APPLIED, threeWayPatch } from '../../api/three-way.ts';
import { timestamp } from '../../api/time.ts';
import { dump } from '../../api/yaml.ts';
import { getObject, loadFiles, locate, type Target } from '../builder.ts';
import { pathOf } from '../discovery.ts';
import { AggregateFailure, describeError, ExitWith, isNotFound, KubectlError, usageError } from '../errors.ts';
import { bool, FILE_FLAGS, text } from '../flags.ts';
import { withoutManagedFields } from '../printers/objects.ts';
import { isObject, type JsonObject, type ObjectLike, type Session } from '../session.ts';
import { isBuiltIn, modelFor } from './apply.ts';
import type { Command } from './command.ts';
import { PRUNE_FLAGS, prunable } from './prune.ts';

interface Pair {
  readonly name: string;
  readonly live: string;
  readonly merged: string;
}

export const diff: Command = {
  summary: 'Diff the live version against a would-be applied version',
  usage: 'kubectl diff -f FILENAME [options]',
  flags: {
    ...FILE_FLAGS,
    ...PRUNE_FLAGS,
    selector: text('l'),
    'server-side': bool(),
    'force-conflicts': bool(),
    'field-manager': text(undefined, 'kubectl-client-side-apply'),
    'show-managed-fields': bool(),
    concurrency: { type: 'int', default: '1' },
  },
  run: async (session, args) => {
    if (args.length > 0) throw new KubectlError(usageError('kubectl diff', `Unexpected args: [${args.join(' ')}]`).message, 2);
    const { flags } = session;
    if (flags.bool('force-conflicts') && !flags.bool('server-side')) throw new KubectlError('--force-conflicts only works with --server-side', 2);
    let pairs: readonly Pair[];
    try {
      pairs = await pairsOf(session);
    } catch (error) {
      // Exit code 1 says "there are differences": failures have the next one.
      const { text: message } = describeError(error, session.server);
      session.err(message);
      throw new ExitWith(2);
    }
    const text = unified(session, pairs);
    if (text === '') return;
    session.out(text);
    throw new ExitWith(1);
  },
};

async function pairsOf(session: Session): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  const failures: unknown[] = [];
  const seen: Target[] = [];
  for (const loaded of await loadFiles(session)) {
    try {
      const target = await locate(session, loaded);
      const live = await getObject(session, target).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
      seen.push(target);
      const merged = await mergedOf(session, target, target.object, live);
      pairs.push(pairOf(session, target, live, merged));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateFailure(failures);
  if (session.flags.bool('prune'))
    for (const target of await prunable(session, seen)) pairs.push(pairOf(session, target, await getObject(session, target), undefined));
  return pairs.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function mergedOf(session: Session, target: Target, wanted: ObjectLike, live: ObjectLike | undefined): Promise<ObjectLike> {
  const { flags } = session;
  const { info } = target;
  const manager = flags.bool('server-side') && !flags.has('field-manager') ? 'kubectl' : flags.text('field-manager');
  const query = { dryRun: 'All', fieldManager: manager };
  const path = pathOf(info, target.namespace, target.name);
  if (flags.bool('server-side'))
    return (await session.request('PATCH', path, {
      query: { ...query, force: String(flags.bool('force-conflicts')), fieldValidation: 'Strict' },
      contentType: 'application/apply-patch+yaml',
      body: wanted as unknown as Json,
    })) as unknown as ObjectLike;
  if (!live) return (await session.request('POST', pathOf(info, target.namespace), { query, body: wanted as unknown as Json })) as unknown as ObjectLike;
  const strategic = isBuiltIn(info.kind, info.group, info.version);
  const last = live.metadata.annotations?.[LAST_APPLIED];
  let original: ObjectLike | undefined;
  try {
    original = last === undefined ? undefined : (JSON.parse(last) as ObjectLike);
  } catch {
    original = undefined;
  }
  // As what was applied last has it: annotations that are none, not none at all.
  const modified = { ...wanted, metadata: { ...wanted.metadata, annotations: wanted.metadata.annotations ?? {} } };
  const patch = threeWayPatch(strategic ? modelFor(info.kind, info.group) : undefined, original, modified, live);
  if (Object.keys(patch).length === 0) return live;
  return (await session.request('PATCH', path, {
    query,
    contentType: strategic ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json',
    body: patch as Json,
  })) as unknown as ObjectLike;
}

function pairOf(session: Session, target: Target, live: ObjectLike | undefined, merged: ObjectLike | undefined): Pair {
  const { info } = target;
  // What would be pruned is shown whole (differ.go prunes after the managed fields are taken away).
  const clean = (object: ObjectLike | undefined): JsonObject | undefined =>
    object === undefined || merged === undefined || session.flags.bool('show-managed-fields') ? object : withoutManagedFields(object);
  let [from, to] = [clean(live), clean(merged)];
  if (info.group === '' && info.kind === 'Secret') [from, to] = masked(from, to);
  return {
    name: `${info.group === '' ? '' : `${info.group}.`}${info.version}.${info.kind}.${target.namespace}.${target.name}`,
    live: from ? dump(from as Json) : '',
    merged: to ? dump(to as Json) : '',
  };
}

const MASK = '***';

/** Secrets stay secret: only that a value changes is told. */
function masked(from: JsonObject | undefined, to: JsonObject | undefined): [JsonObject | undefined, JsonObject | undefined] {
  const dataOf = (object: JsonObject | undefined): JsonObject => (isObject(object?.['data']) ? object['data'] : {});
  const [before, after] = [dataOf(from), dataOf(to)];
  const hide = (data: JsonObject, other: JsonObject, word: string): JsonObject =>
    Object.fromEntries(Object.keys(data).map((key) => [key, Object.hasOwn(other, key) && other[key] !== data[key] ? `${MASK} (${word})` : MASK]));
  return [
    from && isObject(from['data']) ? { ...from, data: hide(before, after, 'before') as Json } : from,
    to && isObject(to['data']) ? { ...to, data: hide(after, before, 'after') as Json } : to,
  ];
}

/** What `diff -u -N LIVE MERGED` prints of two directories. */
function unified(session: Session, pairs: readonly Pair[]): string {
  const { process } = session.self;
  const number = (): number => process.rng.between(1_000_000_000, 4_294_967_295);
  const [left, right] = [`/tmp/LIVE-${number()}`, `/tmp/MERGED-${number()}`];
  const time = timestamp(process.clock.now()).replace('T', ' ').replace('Z', '.000000000 +0000');
  let out = '';
  for (const { name, live, merged } of pairs) {
    const { hunks } = structuredPatch('a', 'b', live, merged, '', '', { context: 3 });
    if (hunks.length === 0) continue;
    out += `diff -u -N ${left}/${name} ${right}/${name}\n--- ${left}/${name}\t${time}\n+++ ${right}/${name}\t${time}\n`;
    for (const hunk of hunks) {
      const lines = hunk.lines.filter((line) => !line.startsWith('\\'));
      out += `@@ -${span(hunk.oldStart, hunk.oldLines)} +${span(hunk.newStart, hunk.newLines)} @@\n${lines.join('\n')}\n`;
    }
  }
  return out;
}

/** GNU diff's: the length only when it is not 1, and line 0 for nothing at all. */
const span = (start: number, length: number): string => (length === 1 ? String(start) : `${length === 0 ? Math.max(0, start - 1) : start},${length}`);
