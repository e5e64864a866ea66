/**
 * NodeResourcesBalancedAllocation: prefers nodes whose cpu and memory would be used in like proportion.
 * Upstream scores (1 − standard deviation of the fractions) × 100; for two resources the deviation is half
 * their difference (`balanced_allocation.go`). In millionths, so that every engine agrees.
 */
import { MAX_NODE_SCORE, type Plugin } from '../framework.ts';
import { requestsOf } from './node-resources-fit.ts';

const MILLION = 1_000_000;
const fraction = (requested: number, capacity: number): number => (capacity === 0 ? MILLION : Math.min(MILLION, Math.floor((requested * MILLION) / capacity)));

export const nodeResourcesBalancedAllocation: Plugin = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  // A pod that asks for nothing would only be scored by chance.
  preScore: (state, pod) => {
    const wanted = requestsOf(state, pod);
    return wanted.cpu === 0 && wanted.memory === 0 ? { skip: true } : undefined;
  },
  score: (state, pod, info) => {
    const wanted = requestsOf(state, pod);
    const cpu = fraction(info.requested.cpu + wanted.cpu, info.allocatable.cpu);
    const memory = fraction(info.requested.memory + wanted.memory, info.allocatable.memory);
    return Math.floor(((MILLION - Math.floor(Math.abs(cpu - memory) / 2)) * MAX_NODE_SCORE) / MILLION);
  },
};
