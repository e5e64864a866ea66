/**
 * The filter of the top bar: `status:failed app=web node:node-1 checkout`. Words are joined by "and"; a filter dims
 * what it does not match and never moves or hides anything.
 */
import type { PodRecord } from '../hosts/protocol.ts';
import { PodFlag } from '../hosts/protocol.ts';
import { STATUS_TOKENS } from './look/glyphs.ts';

export interface PodFacts {
  readonly record: PodRecord;
  readonly status: number;
  readonly flags: number;
  readonly node: string;
}
export type Filter = (pod: PodFacts) => boolean;

const term = (word: string): Filter => {
  if (word.startsWith('!') && word.length > 1) {
    const not = term(word.slice(1));
    return (pod) => !not(pod);
  }
  const colon = word.indexOf(':');
  if (colon > 0) {
    const value = word.slice(colon + 1).toLowerCase();
    switch (word.slice(0, colon).toLowerCase()) {
      case 'status': {
        if (value === 'terminating') return (pod) => (pod.flags & PodFlag.Terminating) !== 0;
        if (value === 'unscheduled' || value === 'pending') return (pod) => pod.node === '';
        const wanted = STATUS_TOKENS.findIndex((token) => token.startsWith(value));
        return value === '' ? () => true : (pod) => pod.status === wanted;
      }
      case 'ns':
      case 'namespace':
        return (pod) => pod.record.namespace.startsWith(value);
      case 'node':
        return (pod) => pod.node.includes(value);
      case 'owner':
        return (pod) => pod.record.owner.toLowerCase().includes(value);
      case 'name':
        return (pod) => pod.record.name.includes(value);
    }
  }
  const notEquals = word.indexOf('!=');
  if (notEquals > 0) return (pod) => pod.record.labels[word.slice(0, notEquals)] !== word.slice(notEquals + 2);
  const equals = word.indexOf('=');
  if (equals > 0) return (pod) => (pod.record.labels[word.slice(0, equals)] ?? '') === word.slice(equals + 1);
  const text = word.toLowerCase();
  return (pod) => pod.record.name.includes(text) || pod.record.owner.toLowerCase().includes(text);
};

/** Nothing for an empty text: then nothing is dimmed. */
export function parseFilter(text: string): Filter | undefined {
  const terms = text
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '')
    .map(term);
  return terms.length === 0 ? undefined : (pod) => terms.every((one) => one(pod));
}
