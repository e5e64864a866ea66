/** What happened, in sentences, newest first; and the voice of it for a screen reader. */
import { useEffect, useState } from 'react';
import type { Instant } from '../../sim/clock.ts';
import { useApp } from '../app-context.ts';
import { SPOKEN, SplitVotes, sentenceOf, TOLD } from './sentences.ts';

export interface Line {
  readonly id: number;
  readonly at: Instant;
  readonly type: string;
  readonly text: string;
  /** The same fault several times at one instant is one line. */
  readonly times: number;
}
const KEPT = 60;

export function useLedger(): readonly Line[] {
  const app = useApp();
  const [lines, setLines] = useState<readonly Line[]>([]);
  useEffect(() => {
    const votes = new SplitVotes();
    let all: readonly Line[] = [];
    return app.world.onTrace(TOLD, ({ facts }) => {
      const fresh: Line[] = [];
      const add = (line: Line): void => {
        const before = fresh.at(-1) ?? all[0];
        if (before && before.type === 'fault' && line.type === 'fault' && before.at === line.at && kindOf(before.text) === kindOf(line.text)) {
          const merged = { ...before, times: before.times + 1 };
          if (fresh.length > 0) fresh[fresh.length - 1] = merged;
          else all = [merged, ...all.slice(1)];
        } else fresh.push(line);
      };
      for (const fact of facts) {
        if (all[0] && fact.at < all[0].at && fact.id < all[0].id) all = [];
        const split = votes.take(fact);
        if (split) {
          add({ id: fact.id - 0.5, at: fact.at, type: 'split', text: split, times: 1 });
          app.say(split);
        }
        const text = sentenceOf(fact);
        if (text === undefined) continue;
        add({ id: fact.id, at: fact.at, type: fact.type, text, times: 1 });
        if (SPOKEN.has(fact.type)) app.say(text);
      }
      if (fresh.length === 0) return;
      all = [...fresh.reverse(), ...all].slice(0, KEPT);
      setLines(all);
    });
  }, [app]);
  return lines;
}

/** `You: cut` of `You: cut etcd-1 etcd-2`. */
const kindOf = (text: string): string => text.split(' ').slice(0, 2).join(' ');
export const lineText = ({ text, times }: Line): string => (times === 1 ? text : `${kindOf(text)} ×${times}`);
