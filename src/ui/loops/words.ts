/** The conveyors in words: what a row says to a screen reader, and the state of all of them in one sentence. */
import type { LoopGroup, LoopLease, LoopRecord } from '../../hosts/protocol.ts';

export const GROUP_WORDS: Readonly<Record<LoopGroup, string>> = {
  workloads: 'Workloads',
  placement: 'Placing and running pods',
  network: 'Services',
  nodes: 'Nodes',
  housekeeping: 'Housekeeping',
};
export const STATE_WORDS: Readonly<Record<LoopRecord['state'], string>> = { running: 'running', paused: 'paused', stopped: 'not running' };

/** `Deployment/default/web` → `web`. */
export const shortName = (about: string): string => about.slice(about.lastIndexOf('/') + 1);
/** → `Deployment default/web` */
export const longName = (about: string): string => about.replace('/', ' ');

type Drift = LoopRecord['drift'];
/** `−1`, `+2`, `−1 +2`; empty when all is as asked. */
export const driftText = ({ missing, extra }: Drift): string => [missing < 0 ? `−${-missing}` : '', extra > 0 ? `+${extra}` : ''].filter(Boolean).join(' ');
export function driftWords({ missing, extra, objects }: Drift): string {
  if (objects === 0) return 'nothing is missing';
  const parts = [missing < 0 ? `${-missing} missing` : '', extra > 0 ? `${extra} too many` : ''].filter(Boolean).join(' and ');
  return objects === 1 ? parts : `${parts}, on ${objects} objects`;
}
export const signed = (n: number): string => (n === 0 ? '0' : n < 0 ? `−${-n}` : `+${n}`);

export const counted = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

/** A row, to somebody who does not see it. */
export function rowWords({ id, state, kind, waitingCount, workingCount, delayedCount, drift, counts }: LoopRecord): string {
  return [
    id,
    STATE_WORDS[state],
    kind ? `for ${kind}` : '',
    `${waitingCount} waiting`,
    `${workingCount} under way`,
    `${delayedCount} put off`,
    `${counts.ended} done`,
    driftWords(drift),
  ]
    .filter(Boolean)
    .join(', ');
}

export type Mood = 'calm' | 'busy' | 'bad';
/** The state of all conveyors in one sentence. */
export function headline(records: readonly LoopRecord[], leases: readonly LoopLease[]): { readonly mood: Mood; readonly sentence: string } {
  const managed = records.filter(({ role }) => role === 'controller');
  const paused = records.filter(({ state }) => state === 'paused');
  const [first] = paused;
  if (managed.length > 0 && managed.every(({ state }) => state === 'stopped')) {
    const waits = leases.find(({ component }) => component === 'kube-controller-manager')?.copies.find(({ state }) => state === 'waits');
    return {
      mood: 'bad',
      sentence: `No controller works: the leader stands still.${waits ? ` The copy on ${waits.node} may take its lease once it has expired.` : ''}`,
    };
  }
  const told = managed.filter(({ pipes }) => pipes.length > 0);
  const cut = told.filter(({ pipes }) => pipes.every(({ watching }) => !watching));
  if (cut.length > told.length / 2)
    return { mood: 'bad', sentence: 'The API server answers nobody: the watches have ended, and the controllers go by the copies they have.' };
  if (paused.length > 1) return { mood: 'bad', sentence: `${paused.length} loops are paused: ${paused.map(({ id }) => id).join(', ')}.` };
  if (first) return { mood: 'bad', sentence: `${first.id} is paused; ${driftWords(first.drift)}.` };
  const off = records.filter(({ drift }) => drift.objects > 0);
  const vain = off.filter(({ role, delayed }) => role === 'controller' && delayed.some(({ requeues }) => requeues > 0));
  if (vain[0]) return { mood: 'bad', sentence: `${names(vain)} ${vain.length === 1 ? `tries and fails; ${driftWords(vain[0].drift)}` : 'try and fail'}.` };
  const objects = off.reduce((sum, { drift }) => sum + drift.objects, 0);
  if (off.length > 0) return { mood: 'busy', sentence: `${counted(objects, 'object')} ${objects === 1 ? 'is' : 'are'} not as asked for: ${names(off)}.` };
  const failing = records.filter(({ delayed }) => delayed.some(({ requeues }) => requeues > 0));
  if (failing.length > 0) return { mood: 'busy', sentence: `Everything is as asked for, but not all work succeeds: ${names(failing)}.` };
  const kubelets = records.filter(({ role }) => role === 'kubelet').length;
  return {
    mood: 'calm',
    sentence: `Everything is as asked for. ${counted(managed.length, 'controller')}, the scheduler and ${counted(kubelets, 'kubelet')} wait for a change.`,
  };
}
const names = (records: readonly LoopRecord[]): string =>
  records.length > 3
    ? `${records
        .slice(0, 2)
        .map(({ id }) => id)
        .join(', ')} and ${records.length - 2} more`
    : records.map(({ id }) => id).join(', ');

/** Nothing of its kind exists yet: it has neither a queue nor a copy of anything. */
export const isAsleep = ({ role, steps, pipes }: Pick<LoopRecord, 'role' | 'steps' | 'pipes'>): boolean =>
  role === 'controller' && !steps && pipes.length === 0;

/** Nobody works on what is to do, or it fails. */
export const isStuck = ({ state, delayed, role }: Pick<LoopRecord, 'state' | 'delayed' | 'role'>): boolean =>
  state !== 'running' || (role === 'scheduler' && delayed.length > 0) || delayed.some(({ requeues }) => requeues > 0);

/** The next that is due on the shelf, in virtual microseconds from now; undefined: nothing has a time. */
export function dueIn({ delayed }: Pick<LoopRecord, 'delayed'>, now: number): number | undefined {
  const next = delayed.find(({ at }) => at > 0);
  return next && Math.max(0, next.at - now);
}
