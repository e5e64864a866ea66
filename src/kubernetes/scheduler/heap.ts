/** A binary heap of things with keys: the least first, and any of them taken out by its key. */
export class Heap<T extends { readonly key: string }> {
  private readonly items: T[] = [];
  private readonly places = new Map<string, number>();

  /** @param less must order any two different items */
  constructor(private readonly less: (a: T, b: T) => boolean) {}

  get length(): number {
    return this.items.length;
  }
  get(key: string): T | undefined {
    const place = this.places.get(key);
    return place === undefined ? undefined : this.items[place];
  }
  peek(): T | undefined {
    return this.items[0];
  }
  values(): readonly T[] {
    return this.items;
  }

  push(item: T): void {
    this.delete(item.key);
    this.items.push(item);
    this.places.set(item.key, this.items.length - 1);
    this.up(this.items.length - 1);
  }

  pop(): T | undefined {
    const first = this.items[0];
    if (first) this.delete(first.key);
    return first;
  }

  delete(key: string): T | undefined {
    const place = this.places.get(key);
    if (place === undefined) return undefined;
    const item = this.items[place]!;
    const last = this.items.pop()!;
    this.places.delete(key);
    if (last !== item) {
      this.items[place] = last;
      this.places.set(last.key, place);
      this.up(place);
      this.down(this.places.get(last.key)!);
    }
    return item;
  }

  private up(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.less(this.items[at]!, this.items[parent]!)) return;
      this.swap(at, parent);
      at = parent;
    }
  }
  private down(from: number): void {
    let at = from;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < this.items.length && this.less(this.items[child]!, this.items[least]!)) least = child;
      if (least === at) return;
      this.swap(at, least);
      at = least;
    }
  }
  private swap(a: number, b: number): void {
    const [x, y] = [this.items[a]!, this.items[b]!];
    this.items[a] = y;
    this.items[b] = x;
    this.places.set(y.key, a);
    this.places.set(x.key, b);
  }
}
