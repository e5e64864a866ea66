/** Virtual time in microseconds: a heap of what is still to happen, ties in the order they were asked for. */
interface Due {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

const before = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

export class Timeline {
  now = 0;
  /** How much has happened. */
  count = 0;
  private order = 0;
  private readonly heap: Due[] = [];

  after(delay: number, run: () => void): void {
    const due: Due = { at: this.now + delay, order: this.order++, run };
    const { heap } = this;
    let i = heap.push(due) - 1;
    for (; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!before(due, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = due;
  }

  /** Lets the next thing happen if it is due by `until`; else it is `until`, and the answer false. */
  step(until: number): boolean {
    const { heap } = this;
    const first = heap[0];
    if (!first || first.at > until) {
      this.now = until;
      return false;
    }
    const last = heap.pop()!;
    const size = heap.length;
    if (size > 0) {
      let i = 0;
      for (let child = 1; child < size; child = 2 * i + 1) {
        if (child + 1 < size && before(heap[child + 1]!, heap[child]!)) child++;
        if (!before(heap[child]!, last)) break;
        heap[i] = heap[child]!;
        i = child;
      }
      heap[i] = last;
    }
    this.now = first.at;
    this.count++;
    first.run();
    return true;
  }
}
