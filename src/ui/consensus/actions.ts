/** What can be done to the members, their wires and their messages. Every one is a fault or a command of the session, so that it is replayed with it. */
import type { ConsensusMember, Fault, RaftFlight } from '../../hosts/protocol.ts';
import type { App } from '../app-context.ts';
import { typeCommand } from '../terminal/typing.ts';

export interface RaftAction {
  readonly id: string;
  readonly label: string;
  /** Key that does it while the member or message has the focus. */
  readonly key?: string;
  run(app: App): void;
}

const fault = (wanted: Fault) => (app: App) => app.world.fault(wanted);
/** In the terminal, so that a person sees what was typed and what came of it. */
export function inTerminal(app: App, command: string): void {
  app.ui.openDock('terminal');
  typeCommand(app.world, app.terminal, command);
}

export const SLOW_DISK = 100_000;
export const FAST_CLOCK = 2_000;

export function memberActions(member: ConsensusMember, members: readonly ConsensusMember[]): RaftAction[] {
  const { name, state, role } = member;
  const at = `--endpoints=${name}:2379`;
  const leader = members.find((other) => other.state === 'running' && other.role === 'Leader');
  const actions: (RaftAction | false)[] = [
    state === 'running' || state === 'paused'
      ? { id: 'stop', label: 'Stop', key: 's', run: fault({ kind: 'kill', process: `etcd@${name}`, hold: true }) }
      : state === 'off'
        ? { id: 'power', label: 'Power on', key: 's', run: fault({ kind: 'node-power', node: name, on: true }) }
        : { id: 'start', label: 'Start', key: 's', run: fault({ kind: 'start', process: `etcd@${name}` }) },
    state === 'running' && { id: 'restart', label: 'Restart', run: fault({ kind: 'kill', process: `etcd@${name}` }) },
    state === 'running' && { id: 'pause', label: 'Pause process', key: 'p', run: fault({ kind: 'pause', process: `etcd@${name}`, on: true }) },
    state === 'paused' && { id: 'resume', label: 'Resume process', key: 'p', run: fault({ kind: 'pause', process: `etcd@${name}`, on: false }) },
    state === 'running' &&
      role !== 'Leader' &&
      !member.learner && { id: 'timeout', label: 'Time out now', key: 't', run: fault({ kind: 'raft-timeout', member: name }) },
    members.length > 1 && { id: 'isolate', label: 'Isolate', key: 'i', run: (app) => buildWall(app, [name], members) },
    state === 'running' && { id: 'write', label: 'Write here', key: 'w', run: (app) => inTerminal(app, `etcdctl ${at} put color ${colour()}`) },
    member.disk === undefined
      ? { id: 'disk', label: 'Slow disk', run: fault({ kind: 'disk', machine: name, micros: SLOW_DISK }) }
      : { id: 'disk', label: 'Usual disk', run: fault({ kind: 'disk', machine: name, micros: 0 }) },
    member.clock === undefined
      ? { id: 'clock', label: 'Fast clock', run: fault({ kind: 'clock', machine: name, permille: FAST_CLOCK }) }
      : { id: 'clock', label: 'Usual clock', run: fault({ kind: 'clock', machine: name, permille: 1_000 }) },
    leader !== undefined &&
      leader !== member &&
      !member.learner &&
      state === 'running' && {
        id: 'lead',
        label: 'Give it the lead',
        run: (app) => inTerminal(app, `etcdctl --endpoints=${leader.name}:2379 move-leader ${member.id}`),
      },
    member.learner && { id: 'promote', label: 'Promote', run: (app) => inTerminal(app, `etcdctl member promote ${member.id}`) },
    member.id !== '' && { id: 'remove', label: 'Remove', run: (app) => inTerminal(app, `etcdctl member remove ${member.id}`) },
  ];
  return actions.filter((action) => action !== false);
}

const COLOURS = ['blue', 'green', 'amber', 'violet', 'red', 'white'];
let written = 0;
const colour = (): string => COLOURS[written++ % COLOURS.length]!;
export const writeKey = (app: App): void => inTerminal(app, `etcdctl put color ${colour()}`);

export const DELAY = 1_000_000;
export const messageActions = ({ id }: RaftFlight): RaftAction[] => [
  { id: 'drop', label: 'Drop', key: 'Delete', run: fault({ kind: 'raft-drop', id }) },
  { id: 'delay', label: 'Delay by 1 s', key: 'd', run: fault({ kind: 'raft-delay', id, micros: DELAY }) },
];

/**
 * A wall between one side and all other members: no wire between them carries anything, either way. Those who ask (the laptop,
 * the API server) reach both sides, so that what a minority answers can be seen.
 */
export function buildWall(app: App, side: readonly string[], members: readonly ConsensusMember[]): void {
  const rest = members.map(({ name }) => name).filter((name) => !side.includes(name));
  for (const one of side)
    for (const other of rest) {
      app.world.fault({ kind: 'cut', from: one, to: other });
      app.world.fault({ kind: 'cut', from: other, to: one });
    }
}

/** Tells the members of a new one, and starts its machine. */
export function addMember(app: App, members: readonly ConsensusMember[], learner: boolean): void {
  const number = Math.max(0, ...members.map(({ name }) => Number(/\d+$/.exec(name)?.[0] ?? 0))) + 1;
  const peer = (members[0]?.peerURL ?? '').replace(/\d+:2380$/, `${20 + members.length + 1}:2380`);
  inTerminal(app, `etcdctl member add etcd-${number} ${learner ? '--learner ' : ''}--peer-urls=${peer}`);
  app.world.fault({ kind: 'add-etcd', machine: `etcd-${number}` });
}

/** All wires between members take this long, one way; 0: as fast as they are. */
export function slowWires(app: App, members: readonly ConsensusMember[], micros: number): void {
  for (const from of members) for (const to of members) if (from !== to) app.world.fault({ kind: 'latency', from: from.name, to: to.name, micros });
}
