/**
 * A list that is sorted only as far as somebody looks: of ten thousand agents who could take a call, mostly the first few matter.
 * A heap; the order must be total.
 */
export class Ranking<T> {
  readonly #heap: T[];
  readonly #sorted: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  /** Takes `items` over. */
  constructor(items: T[], compare: (a: T, b: T) => number) {
    this.#heap = items;
    this.#compare = compare;
    for (let i = (items.length >> 1) - 1; i >= 0; i--) {
      this.#sink(i);
    }
  }

  /** The item at a place of the order, 0 is first; undefined beyond the end. */
  at(place: number): T | undefined {
    while (this.#sorted.length <= place && this.#heap.length > 0) {
      this.#pop();
    }
    return this.#sorted[place];
  }

  /** Everything, in order. */
  all(): readonly T[] {
    if (this.#heap.length > 0) {
      for (const item of this.#heap.sort(this.#compare)) {
        this.#sorted.push(item);
      }
      this.#heap.length = 0;
    }
    return this.#sorted;
  }

  #pop(): void {
    const [first] = this.#heap;
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) {
      return;
    }
    this.#sorted.push(first);
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink(0);
    }
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const item = heap[from] as T;
    let at = from;
    for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && this.#compare(heap[child + 1] as T, heap[child] as T) < 0) {
        child++;
      }
      if (this.#compare(heap[child] as T, item) >= 0) {
        break;
      }
      heap[at] = heap[child] as T;
      at = child;
    }
    heap[at] = item;
  }
}
