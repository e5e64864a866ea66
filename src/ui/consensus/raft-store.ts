/**
 * What the Consensus view knows: the pictures of the world put together. Pictures say only what is new of the logs;
 * here they become whole logs, and what a log lost is kept for a moment, struck through.
 */
import type { World } from '../../hosts/connect.ts';
import type { ConsensusMember, ConsensusPicture, EntrySummary, RaftTraffic } from '../../hosts/protocol.ts';

export interface Log {
  readonly first: number;
  readonly terms: readonly number[];
}
/** An entry that was taken back: it was never committed. */
export interface Struck {
  readonly member: string;
  readonly index: number;
  readonly term: number;
}
export interface RaftView {
  readonly picture: ConsensusPicture | undefined;
  readonly members: readonly ConsensusMember[];
  readonly logs: ReadonlyMap<string, Log>;
  readonly entries: ReadonlyMap<string, EntrySummary>;
  readonly struck: readonly Struck[];
  /** Messages per virtual second by direction, `from>to`. */
  readonly rates: ReadonlyMap<string, number>;
}

/** How long what was taken back stays to be seen. Real time: it is for the eye. */
export const STRUCK_MS = 2_000;
const RATE_OVER = 1_000_000;
const ENTRIES_KEPT = 4_000;
const EMPTY: RaftView = { picture: undefined, members: [], logs: new Map(), entries: new Map(), struck: [], rates: new Map() };

export class RaftStore {
  view: RaftView = EMPTY;
  private readonly listeners = new Set<() => void>();
  private texts = new Map<string, string>();
  private sample: { readonly at: number; readonly sent: ReadonlyMap<string, number> } | undefined;
  private feed: ReturnType<World['consensus']> | undefined;

  constructor(private readonly world: Pick<World, 'consensus'>) {}

  open(): () => void {
    this.feed = this.world.consensus((picture) => this.take(picture));
    return () => {
      this.feed?.stop();
      this.feed = undefined;
    };
  }

  show(end: number | undefined): void {
    this.feed?.show(end);
  }

  readonly subscribe = (changed: () => void): (() => void) => {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  };
  readonly get = (): RaftView => this.view;

  private set(view: RaftView): void {
    this.view = view;
    for (const changed of this.listeners) changed();
  }

  take(fresh: ConsensusPicture): void {
    let picture = fresh;
    const before = this.view;
    // Another world: forget the old one.
    const anew = before.picture !== undefined && picture.now < before.picture.now;
    const known = anew ? EMPTY : before;
    if (anew) this.sample = undefined;
    let { entries, logs, struck } = known;
    if (picture.entries.length > 0) {
      const more = new Map(entries);
      for (const entry of picture.entries) more.set(`${entry.term}/${entry.index}`, entry);
      for (const key of more.keys()) {
        if (more.size <= ENTRIES_KEPT) break;
        more.delete(key);
      }
      entries = more;
    }
    if (picture.logs.length > 0) {
      const more = new Map(logs);
      for (const { member, first, terms } of picture.logs) {
        const lost = takenBack(member, more.get(member), { first, terms }, picture.window.first, picture.window.last);
        if (lost.length > 0) {
          struck = [...struck.filter((one) => !lost.some((each) => each.member === one.member && each.index === one.index)), ...lost];
          setTimeout(() => this.forget(lost), STRUCK_MS);
        }
        more.set(member, { first, terms });
      }
      logs = more;
    }
    // What did not change stays the same, so that the wires are not drawn anew.
    const calm = before.picture && JSON.stringify([picture.cut, picture.weather]) === JSON.stringify([before.picture.cut, before.picture.weather]);
    if (calm) picture = { ...picture, cut: before.picture!.cut, weather: before.picture!.weather };
    this.set({ picture, members: this.steady(known.members, picture.members), entries, logs, struck, rates: this.ratesOf(picture, known.rates) });
  }

  private forget(lost: readonly Struck[]): void {
    this.set({ ...this.view, struck: this.view.struck.filter((one) => !lost.includes(one)) });
  }

  /** Members that did not change stay the same objects, so that their rows are not drawn anew. */
  private steady(before: readonly ConsensusMember[], now: readonly ConsensusMember[]): readonly ConsensusMember[] {
    const texts = new Map(now.map((member) => [member.name, JSON.stringify(member)]));
    const steady = now.map((member) => {
      const old = before.find(({ name }) => name === member.name);
      return old && this.texts.get(member.name) === texts.get(member.name) ? old : member;
    });
    this.texts = texts;
    return steady.length === before.length && steady.every((member, i) => member === before[i]) ? before : steady;
  }

  private ratesOf({ now, sent }: ConsensusPicture, before: RaftView['rates']): RaftView['rates'] {
    const totals = totalsOf(sent);
    this.sample ??= { at: now, sent: totals };
    const { sample } = this;
    if (now - sample.at < RATE_OVER) return before;
    const seconds = (now - sample.at) / 1_000_000;
    const rates = new Map([...totals].map(([link, count]) => [link, Math.round((count - (sample.sent.get(link) ?? 0)) / seconds)]));
    this.sample = { at: now, sent: totals };
    return rates;
  }
}

function totalsOf(sent: readonly RaftTraffic[]): ReadonlyMap<string, number> {
  const totals = new Map<string, number>();
  for (const { from, to, count } of sent) totals.set(`${from}>${to}`, (totals.get(`${from}>${to}`) ?? 0) + count);
  return totals;
}

/** Entries a log had in the window and has no more, or has another one in their place. What was folded into a snapshot is not lost. */
export function takenBack(member: string, before: Log | undefined, now: Log, first: number, last: number): Struck[] {
  const lost: Struck[] = [];
  if (!before) return lost;
  before.terms.forEach((term, i) => {
    const index = before.first + i;
    if (index < Math.max(first, now.first) || index > last) return;
    if (now.terms[index - now.first] !== term) lost.push({ member, index, term });
  });
  return lost;
}
