/** What a run counts, for each queue and for the staff. Calls that arrived in the warm-up do not count. */
import type { Plan } from './plan';

export interface QueueTally {
  readonly queue: string;
  arrived: number;
  answered: number;
  answeredInTime: number;
  abandoned: number;
  /** Left by a rule of the queue, by reason. */
  readonly left: Record<string, number>;
  offers: number;
  refusedOffers: number;
  /** Waits until the answer, milliseconds, in the order of the answers. */
  readonly waits: Samples;
  /** Of callers who gave up. */
  readonly patience: Samples;
}

export interface StaffTally {
  /** Summed over all agents, inside of the counted time, milliseconds. */
  signedInMs: number;
  handlingMs: number;
}

export interface RunTally {
  readonly queues: readonly QueueTally[];
  readonly staff: StaffTally;
  /** All calls that came, counted or not. */
  calls: number;
  events: number;
}

export function newTally(plan: Plan): RunTally {
  return {
    queues: plan.queues.map(({ rules }) => ({
      queue: rules.name,
      arrived: 0,
      answered: 0,
      answeredInTime: 0,
      abandoned: 0,
      left: {},
      offers: 0,
      refusedOffers: 0,
      waits: new Samples(),
      patience: new Samples(),
    })),
    staff: { signedInMs: 0, handlingMs: 0 },
    calls: 0,
    events: 0,
  };
}

/** A growing list of numbers. */
export class Samples {
  #values = new Float64Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  mean(): number {
    let sum = 0;
    for (let i = 0; i < this.#length; i++) {
      sum += this.#values[i] as number;
    }
    return this.#length === 0 ? 0 : sum / this.#length;
  }

  sorted(): Float64Array {
    return this.#values.slice(0, this.#length).sort();
  }
}
