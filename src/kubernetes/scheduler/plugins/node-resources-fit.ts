/**
 * NodeResourcesFit: what the pod asks for must be free; scored LeastAllocated, cpu and memory alike, so that
 * load spreads (`noderesources/fit.go`, `least_allocated.go`).
 */
import type { DeepReadonly } from '../../api/json.ts';
import type { Pod } from '../../api/types.gen.ts';
import { type CycleState, MAX_NODE_SCORE, type Plugin, reject } from '../framework.ts';
import { podRequests, type Resources } from '../resources.ts';
import type { NodeInfo } from '../snapshot.ts';

/** Computed once an attempt. */
export function requestsOf(state: CycleState, pod: DeepReadonly<Pod>, nonZero = false): Resources {
  const key = nonZero ? 'requests/nonzero' : 'requests';
  let requests = state.get(key) as Resources | undefined;
  if (!requests) {
    requests = podRequests(pod, nonZero);
    state.set(key, requests);
  }
  return requests;
}

/** Each resource that is short, in upstream's order, and whether it could ever fit there. */
export function insufficient(pod: Resources, info: NodeInfo): { readonly reasons: string[]; readonly unresolvable: boolean } {
  const reasons: string[] = [];
  let unresolvable = false;
  const check = (name: string, wanted: number, used: number, capacity: number): void => {
    if (wanted === 0 || wanted <= capacity - used) return;
    reasons.push(`Insufficient ${name}`);
    if (wanted > capacity) unresolvable = true;
  };
  if (info.pods.size + 1 > info.allowedPods) reasons.push('Too many pods');
  check('cpu', pod.cpu, info.requested.cpu, info.allocatable.cpu);
  check('memory', pod.memory, info.requested.memory, info.allocatable.memory);
  check('ephemeral-storage', pod.ephemeralStorage, info.requested.ephemeralStorage, info.allocatable.ephemeralStorage);
  for (const [name, wanted] of pod.scalar) check(name, wanted, info.requested.scalar.get(name) ?? 0, info.allocatable.scalar.get(name) ?? 0);
  return { reasons, unresolvable };
}

const leastRequested = (requested: number, capacity: number): number =>
  capacity === 0 || requested > capacity ? 0 : Math.floor(((capacity - requested) * MAX_NODE_SCORE) / capacity);

export const nodeResourcesFit: Plugin = {
  name: 'NodeResourcesFit',
  weight: 1,
  filter: (state, pod, info) => {
    const { reasons, unresolvable } = insufficient(requestsOf(state, pod), info);
    return reasons.length > 0 ? reject('NodeResourcesFit', reasons, unresolvable) : undefined;
  },
  score: (state, pod, info) => {
    const wanted = requestsOf(state, pod, true);
    const cpu = leastRequested(info.nonZeroRequested.cpu + wanted.cpu, info.allocatable.cpu);
    const memory = leastRequested(info.nonZeroRequested.memory + wanted.memory, info.allocatable.memory);
    return Math.floor((cpu + memory) / 2);
  },
  hint: (_pod, { kind, what }) => (kind === 'Node' ? what !== 'delete' : what !== 'add'),
};
