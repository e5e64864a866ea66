/**
 * Breakpoints: conditions that stop the clock at exactly the event that made them true.
 *
 * Every condition is about what the trace tells, so it is looked at when a fact is told and at no other time; the
 * loop then stops between two events. Looking changes nothing: a world with breakpoints has the history of one without.
 */
import type { Breakpoint } from '../hosts/protocol.ts';
import type { Fact } from '../sim/trace.ts';
import type { Cluster } from './cluster.ts';

/** Says why the fact makes the condition true, or nothing. */
type Condition = (fact: Fact) => string | undefined;

const running = (cluster: Cluster) => cluster.etcd.flatMap(({ machine, member }) => (member && machine.isRunning('etcd') ? [member] : []));

function conditionOf(cluster: Cluster, breakpoint: Breakpoint): Condition {
  switch (breakpoint.kind) {
    case 'two-leaders': {
      const leaders = () => running(cluster).filter((member) => member.raftStatus().role === 'Leader');
      return ({ type }) => {
        if (type !== 'raft.role') return undefined;
        const all = leaders();
        return all.length < 2 ? undefined : `Two leaders: ${all.map((member) => `${member.name} of term ${member.raftStatus().term}`).join(' and ')}.`;
      };
    }
    case 'term-above': {
      let done = false;
      return ({ type, by, data }) => {
        const term = data['term'];
        if (done || !type.startsWith('raft.') || typeof term !== 'number' || term <= breakpoint.term) return undefined;
        done = true;
        return `Term ${term} is above ${breakpoint.term}: ${by.slice(by.indexOf('@') + 1)} has reached it.`;
      };
    }
    case 'commit-advances': {
      let most = running(cluster).reduce((high, member) => Math.max(high, member.raftStatus().commit), 0);
      return ({ type, by, data }) => {
        const index = data['index'];
        if (type !== 'raft.commit' || typeof index !== 'number' || index <= most) return undefined;
        most = index;
        return `Entry ${index} is committed on ${by.slice(by.indexOf('@') + 1)}.`;
      };
    }
    case 'fact':
      return ({ type, about }) =>
        type === breakpoint.fact && (breakpoint.about === undefined || breakpoint.about === about) ? `${type} ${about}`.trim() : undefined;
  }
}

/** Watches until the returned function is called; `hit` is told at the event, and the loop's run ends there. */
export function watchBreakpoints(cluster: Cluster, breakpoints: readonly Breakpoint[], hit: (breakpoint: Breakpoint, sentence: string) => void): () => void {
  if (breakpoints.length === 0) return () => {};
  const conditions = breakpoints.map((breakpoint) => ({ breakpoint, condition: conditionOf(cluster, breakpoint) }));
  return cluster.loop.trace.listen((fact) => {
    for (const { breakpoint, condition } of conditions) {
      const sentence = condition(fact);
      if (sentence === undefined) continue;
      cluster.loop.stop();
      hit(breakpoint, sentence);
    }
  });
}
