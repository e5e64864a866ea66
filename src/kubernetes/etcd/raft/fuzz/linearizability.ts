/**
 * Was a history of reads and writes on one register linearizable? An independent judge: it sees only what
 * clients saw, and knows nothing of Raft.
 *
 * The search is Wing and Gong's (Testing and Verifying Concurrent Objects, 1993): take an operation that
 * might have come first, see whether its answer fits, go on with the rest, back up when stuck. Two
 * additions make it fast enough: Lowe's (Testing for Linearizability, 2017) never to go on twice from the
 * same set of operations and the same value, and Horn and Kroening's (Faster Linearizability Checking via
 * P-Compositionality, 2015) to look at every key by itself.
 */
export type Operation = { readonly call: number; readonly end: number } & (
  | { readonly kind: 'put'; readonly value: number }
  | { readonly kind: 'get'; readonly value: number }
  /** `done`: whether the value was as expected and was replaced; undefined when nobody knows. */
  | { readonly kind: 'cas'; readonly expected: number; readonly value: number; readonly done: boolean | undefined }
);

export type Verdict = 'yes' | 'no' | 'undecided';

/** Calls and returns in the order they happened, as a linked list to take operations out of and put them back. */
interface Node {
  readonly op: number;
  readonly returns: boolean;
  /** The return that belongs to a call. */
  readonly match: Node | undefined;
  previous: Node | undefined;
  next: Node | undefined;
}

/** The register's next value, or undefined when the operation's answer does not fit the present one. */
function take(op: Operation, value: number): number | undefined {
  if (op.kind === 'put') return op.value;
  if (op.kind === 'get') return op.value === value ? value : undefined;
  const fits = op.expected === value;
  if (op.done !== undefined && op.done !== fits) return undefined;
  return fits ? op.value : value;
}

/**
 * `end` is Infinity for an operation that was never answered: it may have taken effect at any time after
 * its call, or never. `budget`: how many steps to try before giving up. The register starts with 0.
 */
export function linearizable(history: readonly Operation[], budget = 200_000): Verdict {
  // Each operation's call and end, in order of time; at the same time calls come first.
  const events = history.flatMap((op, i) => [
    { at: op.call, i, returns: false },
    { at: op.end, i, returns: true },
  ]);
  events.sort((a, b) => (a.at === b.at ? (a.returns ? 1 : 0) - (b.returns ? 1 : 0) || a.i - b.i : a.at < b.at ? -1 : 1));
  const head: Node = { op: -1, returns: false, match: undefined, previous: undefined, next: undefined };
  const returnsOf = new Map<number, Node>();
  for (const { i, returns } of events) if (returns) returnsOf.set(i, { op: i, returns, match: undefined, previous: undefined, next: undefined });
  let tail = head;
  for (const { i, returns } of events) {
    const node: Node = returns ? returnsOf.get(i)! : { op: i, returns, match: returnsOf.get(i)!, previous: undefined, next: undefined };
    node.previous = tail;
    tail.next = node;
    tail = node;
  }
  let owed = history.filter((op) => op.end !== Number.POSITIVE_INFINITY).length;

  const words = new Int32Array((history.length >> 5) + 1);
  const seen = new Set<string>();
  const path: { node: Node; value: number }[] = [];
  let value = 0;
  let steps = 0;
  let at = head.next;
  // What was never answered need not be placed.
  while (owed > 0) {
    if (++steps > budget) return 'undecided';
    if (at && !at.returns) {
      const op = history[at.op]!;
      const after = take(op, value);
      let fresh = after !== undefined;
      if (fresh) {
        words[at.op >> 5]! ^= 1 << (at.op & 31);
        const key = `${after} ${words.join(' ')}`;
        fresh = !seen.has(key);
        if (fresh) seen.add(key);
        else words[at.op >> 5]! ^= 1 << (at.op & 31);
      }
      if (fresh) {
        path.push({ node: at, value });
        value = after!;
        lift(at);
        if (op.end !== Number.POSITIVE_INFINITY) owed--;
        at = head.next;
      } else at = at.next;
      continue;
    }
    // An operation ended before any that is left could come first: the last choice was wrong.
    const last = path.pop();
    if (!last) return 'no';
    const { op } = last.node;
    words[op >> 5]! ^= 1 << (op & 31);
    value = last.value;
    putBack(last.node);
    if (history[op]!.end !== Number.POSITIVE_INFINITY) owed++;
    at = last.node.next;
  }
  return 'yes';
}

function lift(call: Node): void {
  for (const node of [call, call.match!]) {
    node.previous!.next = node.next;
    if (node.next) node.next.previous = node.previous;
  }
}

function putBack(call: Node): void {
  for (const node of [call.match!, call]) {
    node.previous!.next = node;
    if (node.next) node.next.previous = node;
  }
}
