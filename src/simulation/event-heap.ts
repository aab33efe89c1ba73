/** What will happen, by time; equal times in the order in which they were planned, so that a run can be repeated. */
export class EventHeap {
  #times = new Float64Array(1024);
  #orders = new Float64Array(1024);
  #kinds = new Uint8Array(1024);
  #subjects = new Int32Array(1024);
  #stamps = new Int32Array(1024);
  #length = 0;
  #planned = 0;

  /** Of the event that `next` took out. */
  time = 0;
  kind = 0;
  subject = 0;
  stamp = 0;

  /** `stamp`: compared by whoever planned it, to know an event that is no longer wanted. */
  plan(time: number, kind: number, subject: number, stamp: number): void {
    if (time === Infinity) {
      return;
    }
    if (this.#length === this.#times.length) {
      this.#grow();
    }
    const order = this.#planned++;
    let at = this.#length++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(time, order, parent)) {
        break;
      }
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, time, order, kind, subject, stamp);
  }

  /** Takes the next event out into the fields; false: there is none. */
  next(): boolean {
    if (this.#length === 0) {
      return false;
    }
    this.time = this.#times[0] as number;
    this.kind = this.#kinds[0] as number;
    this.subject = this.#subjects[0] as number;
    this.stamp = this.#stamps[0] as number;
    const last = --this.#length;
    const time = this.#times[last] as number;
    const order = this.#orders[last] as number;
    const kind = this.#kinds[last] as number;
    const subject = this.#subjects[last] as number;
    const stamp = this.#stamps[last] as number;
    let at = 0;
    for (let child = 1; child < last; child = 2 * at + 1) {
      if (
        child + 1 < last &&
        this.#isBefore(this.#times[child + 1] as number, this.#orders[child + 1] as number, child)
      ) {
        child++;
      }
      if (this.#isBefore(time, order, child)) {
        break;
      }
      this.#move(child, at);
      at = child;
    }
    this.#put(at, time, order, kind, subject, stamp);
    return true;
  }

  #isBefore(time: number, order: number, other: number): boolean {
    const otherTime = this.#times[other] as number;
    return time < otherTime || (time === otherTime && order < (this.#orders[other] as number));
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from] as number;
    this.#orders[to] = this.#orders[from] as number;
    this.#kinds[to] = this.#kinds[from] as number;
    this.#subjects[to] = this.#subjects[from] as number;
    this.#stamps[to] = this.#stamps[from] as number;
  }

  #put(at: number, time: number, order: number, kind: number, subject: number, stamp: number): void {
    this.#times[at] = time;
    this.#orders[at] = order;
    this.#kinds[at] = kind;
    this.#subjects[at] = subject;
    this.#stamps[at] = stamp;
  }

  #grow(): void {
    const length = this.#times.length * 2;
    const copy = <T extends Float64Array | Int32Array | Uint8Array>(larger: T, old: T): T => {
      larger.set(old);
      return larger;
    };
    this.#times = copy(new Float64Array(length), this.#times);
    this.#orders = copy(new Float64Array(length), this.#orders);
    this.#kinds = copy(new Uint8Array(length), this.#kinds);
    this.#subjects = copy(new Int32Array(length), this.#subjects);
    this.#stamps = copy(new Int32Array(length), this.#stamps);
  }
}
