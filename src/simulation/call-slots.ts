import type { SimCall } from './people';
import type { Plan, PlannedQueue } from './plan';

/** The calls that are there. Slots are used again, so that a run of many calls needs room for those that wait and talk only. */
export class CallSlots {
  readonly #plan: Plan;
  readonly #slots: SimCall[] = [];
  readonly #spare: SimCall[] = [];
  #number = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  at(slot: number): SimCall {
    return this.#slots[slot] as SimCall;
  }

  arrive(queue: number, traffic: number, handlingMs: number, now: number): SimCall {
    const planned = this.#plan.traffic[traffic] as Plan['traffic'][number];
    const { rules } = this.#plan.queues[queue] as PlannedQueue;
    const view: SimCall['view'] = {
      callId: String(this.#number++).padStart(9, '0'),
      queueId: rules.queueId,
      nodeId: '',
      class: planned.class,
      headStartMs: planned.headStartMs,
      firstQueuedAt: now,
      queuedAt: now,
      openOffers: [],
      excluded: [],
      ...(planned.needs ? { needs: planned.needs } : {}),
    };
    const counted = now >= this.#plan.warmUpMs;
    const spare = this.#spare.pop();
    if (spare) {
      return Object.assign(spare, { waits: true, queue, traffic, arrivedAt: now, handlingMs, counted, view });
    }
    const slot = this.#slots.length;
    const call = { slot, stamp: 0, waits: true, queue, traffic, arrivedAt: now, handlingMs, counted, view };
    this.#slots.push(call);
    return call;
  }

  /** The call is over: nothing that was planned for it counts any more. */
  leave(call: SimCall): void {
    this.#spare.push(call);
  }
}
