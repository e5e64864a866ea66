/**
 * `/debug/api_priority_and_fairness/dump_…`: priority levels, queues and waiting requests as comma-separated columns
 * (apiserver `pkg/util/flowcontrol/apf_controller_debug.go`).
 *
 * Here simplified: queues take turns, so what upstream says of their virtual time is nought.
 */

export interface LevelDigest {
  readonly name: string;
  readonly executing: number;
  readonly dispatched: number;
  readonly rejected: number;
  readonly timedOut: number;
  readonly queues: readonly (readonly WaitingDigest[])[];
}
export interface WaitingDigest {
  readonly schema: string;
  readonly distinguisher: string;
  /** RFC 3339 with nanoseconds. */
  readonly arrived: string;
  readonly user: string;
  readonly verb: string;
  readonly path: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
}
type Row = readonly (string | number | boolean)[];

/** text/tabwriter with cells at least eight wide and a space between: the comma is the cell's. */
function table(header: readonly string[], rows: readonly Row[]): string {
  const all = [header, ...rows].map((row) => row.map((cell, i) => `${String(cell)}${i < row.length - 1 ? ',' : ''}`));
  const widths = header.map((_, i) => Math.max(7, ...all.map((row) => (row[i] ?? '').length)) + 1);
  return all.map((row) => `${row.map((cell, i) => (i < row.length - 1 ? cell.padEnd(widths[i]!) : cell)).join('')}\n`).join('');
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

/** The text of a dump; undefined for a name there is not. `details` adds who asked what. Levels come sorted by name. */
export function dumpOf(which: string, levels: readonly LevelDigest[], details: boolean): string | undefined {
  const sorted = [...levels].sort((a, b) => (a.name < b.name ? -1 : 1));
  switch (which) {
    case 'dump_priority_levels':
      return table(
        'PriorityLevelName ActiveQueues IsIdle IsQuiescing WaitingRequests ExecutingRequests DispatchedRequests RejectedRequests TimedoutRequests CancelledRequests'.split(
          ' ',
        ),
        sorted.map(({ name, executing, dispatched, rejected, timedOut, queues }) => {
          const waiting = sum(queues.map(({ length }) => length));
          const active = queues.filter(({ length }) => length > 0).length;
          return [name, active, waiting + executing === 0, false, waiting, executing, dispatched, rejected, timedOut, 0];
        }),
      );
    case 'dump_queues':
      return table(
        'PriorityLevelName Index PendingRequests ExecutingRequests SeatsInUse NextDispatchR InitialSeatsSum MaxSeatsSum TotalWorkSum'.split(' '),
        sorted.flatMap(({ name, queues }) =>
          queues.map((queue, i): Row => [name, i, queue.length, 0, 0, '0.00000000ss', queue.length, queue.length, '0.00000000ss']),
        ),
      );
    case 'dump_requests':
      return table(
        [
          ...'PriorityLevelName FlowSchemaName QueueIndex RequestIndexInQueue FlowDistingsher ArriveTime InitialSeats FinalSeats AdditionalLatency StartTime'.split(
            ' ',
          ),
          ...(details ? 'UserName Verb APIPath Namespace Name APIVersion Resource SubResource'.split(' ') : []),
        ],
        sorted.flatMap(({ name, queues }) =>
          queues.flatMap((queue, at) =>
            queue.map(
              (one, i): Row => [
                ...[name, one.schema, at, i, one.distinguisher, one.arrived, 1, 0, '0s', one.arrived],
                ...(details ? [one.user, one.verb, one.path, one.namespace, one.name, one.version, one.resource, one.subresource] : []),
              ],
            ),
          ),
        ),
      );
    default:
      return undefined;
  }
}
