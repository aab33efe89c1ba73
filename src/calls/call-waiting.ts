import type { TimerHandle } from '../lib/clock';
import type { CallTraits, ExitReason } from '../flows/flow';
import { CallAnnouncements } from './call-announcements';
import type { CallContext } from './call-context';
import type { ExitDestination, StayOutcome } from './call-state';
import type { CallSound } from './call-sound';
import { closedNow, describeDestination } from './destinations';
import type { Destinations } from './destinations';
import type { CallExit, QueuePlan } from './ports';

/** A stay in one queue. */
interface Stay {
  readonly queueId: string;
  since: number;
  /** Whether the place is in the database. */
  placed: boolean;
}

/**
 * What belongs to waiting in a queue: the place in the database, the music and what is said in between, the longest wait, exits
 * and keys. The time of a stay
 * goes on through a connection that came to nothing.
 */
export class CallWaiting {
  readonly #context: CallContext;
  readonly #sound: CallSound;
  readonly #destinations: Destinations;
  readonly #announcements: CallAnnouncements;
  #stay: Stay | undefined;
  /** Since when the caller waits without a break, over all queues; undefined: does not wait. */
  #waitingSince: number | undefined;
  #queueName = '';
  #timer: TimerHandle | undefined;
  #traits: CallTraits = {};
  /** Queues whose estimate led to the offer of a callback once; every decision would lead there again. */
  readonly #offeredByEstimate = new Set<string>();

  constructor(context: CallContext, sound: CallSound, destinations: Destinations) {
    this.#context = context;
    this.#sound = sound;
    this.#destinations = destinations;
    this.#announcements = new CallAnnouncements(context, sound);
  }

  /** What a flow said about the call; later values replace earlier ones. */
  set(traits: CallTraits): void {
    this.#traits = { ...this.#traits, ...traits };
  }

  /** All that flows have said. */
  get traits(): CallTraits {
    return this.#traits;
  }

  /** A new stay. */
  start(queueId: string): void {
    const now = this.#context.deps.clock.now();
    this.#stay = { queueId, since: now, placed: false };
    this.#waitingSince ??= now;
    this.#wait(queueId);
  }

  /**
   * Back to waiting after a connection, a transfer or a call outside that came to nothing: nobody is sent away at the door a second
   * time. The same stay goes on, unless the caller talked in between: then the longest wait begins anew.
   */
  resume(queueId: string): void {
    if (this.#stay?.queueId !== queueId) {
      const now = this.#context.deps.clock.now();
      this.#stay = { queueId, since: now, placed: true };
      this.#waitingSince ??= now;
    }
    this.#wait(queueId);
  }

  #wait(queueId: string): void {
    this.#announcements.pause();
    const queue = this.#context.plan.queue(queueId);
    this.#queueName = queue?.name ?? this.#queueName;
    const closed = queue && this.#stay?.placed === false ? closedNow(this.#context, queue) : undefined;
    if (queue && closed !== undefined) {
      this.#closed(queue, closed);
      return;
    }
    this.#sound.music(queue?.musicUri);
    this.takePlace();
    this.#startTimer();
  }

  /** The place in the queue that the call waits in; one that is there already stays as it is. */
  takePlace(): void {
    const { deps, info, event, fact } = this.#context;
    fact('enqueue', async () => {
      const state = this.#context.state();
      if (state.kind !== 'waiting') {
        // Gone on meanwhile: a place here would be in the way of the next one.
        return;
      }
      const { queueId } = state;
      const stay = this.#stay?.queueId === queueId ? this.#stay : undefined;
      const queue = this.#context.plan.queue(queueId);
      const atTheDoor = stay?.placed === false && queue?.checksEntry === true;
      const place = await deps.store[atTheDoor ? 'enter' : 'enqueue'](info.callId, queueId, this.#traits);
      if (place && 'sentOn' in place) {
        this.exit({ callId: info.callId, queueId, ...place.sentOn });
        return;
      }
      if (stay && !stay.placed) {
        // The longest wait counts from the place on; until it was there, from when it was asked for.
        stay.placed = true;
        stay.since = deps.clock.now();
        this.#restartTimer(stay);
      }
      if (place) {
        event('call:waiting', { queue: this.#queueName, position: place.position });
        deps.matcher.requestMatch(queueId);
        this.#announce(queueId);
      }
    });
  }

  /** From the place on, if the call still waits for it. */
  #announce(queueId: string): void {
    const state = this.#context.state();
    if (state.kind === 'waiting' && state.queueId === queueId) {
      this.#announcements.begin(queueId);
    }
  }

  /** Sent on before a place is taken. */
  #closed(queue: QueuePlan, why: string): void {
    this.#context.event('call:closed', { queue: queue.name, why });
    this.#exit(queue, 'closed', queue.exits.closed ?? { hangUp: true });
  }

  /** An exit that a decision found. */
  exit({ queueId, reason, action }: CallExit): void {
    const queue = this.#context.plan.queue(queueId);
    if (queue) {
      this.#exit(queue, reason, action);
    }
  }

  /** A key of a caller who waits. */
  key(key: string): void {
    const state = this.#context.state();
    const queue = state.kind === 'waiting' ? this.#context.plan.queue(state.queueId) : undefined;
    const action = queue?.exits.keys?.[key];
    if (queue && action) {
      this.#context.event('call:key', { queue: queue.name, key });
      this.#leave(queue, 'key', action, false);
    }
  }

  /** The call waits no more, for now: its clock in this stay goes on, but nothing is due. */
  pause(): void {
    this.#announcements.pause();
    this.#clearTimer();
  }

  #clearTimer(): void {
    this.#timer?.clear();
    this.#timer = undefined;
  }

  /** Counts the wait once, by what ended it. */
  waited(outcome: 'connected' | 'abandoned' | 'ended'): void {
    this.pause();
    this.#stay = undefined;
    if (this.#waitingSince !== undefined) {
      const { metrics, clock } = this.#context.deps;
      metrics.queueWaited(this.#queueName, outcome, clock.now() - this.#waitingSince);
      this.#waitingSince = undefined;
    }
  }

  #restartTimer(stay: Stay): void {
    if (stay === this.#stay && this.#timer) {
      this.#startTimer();
    }
  }

  /** The longest wait is looked up when its time comes, since it may have been changed. */
  #startTimer(): void {
    this.#clearTimer();
    const { clock } = this.#context.deps;
    const stay = this.#stay;
    const maxWaitMs = stay && this.#context.plan.queue(stay.queueId)?.maxWaitMs;
    if (!stay || maxWaitMs === undefined) {
      return;
    }
    const left = Math.max(0, stay.since + maxWaitMs - clock.now());
    this.#timer = clock.setTimeout(() => {
      const queue = this.#context.plan.queue(stay.queueId);
      if (!queue || stay !== this.#stay) {
        return;
      }
      if (queue.maxWaitMs === undefined || clock.now() < stay.since + queue.maxWaitMs) {
        this.#startTimer();
      } else {
        this.#exit(queue, 'maxWait', queue.exits.maxWait ?? { hangUp: true });
      }
    }, left);
  }

  #exit(queue: QueuePlan, reason: ExitReason, action: CallExit['action']): void {
    this.#leave(queue, reason, action, reason === 'maxWait' && queue.letRingFinish);
  }

  #leave(queue: QueuePlan, reason: ExitReason | 'key', action: CallExit['action'], letRingFinish: boolean): void {
    const state = this.#context.state();
    if (state.kind !== 'waiting' || state.queueId !== queue.queueId || state.pending) {
      return;
    }
    if (reason === 'estimatedWait' && 'callback' in action) {
      if (this.#offeredByEstimate.has(queue.queueId)) {
        return;
      }
      this.#offeredByEstimate.add(queue.queueId);
    }
    const to = this.#destinations.ofAction(action, reason, queue.queueId);
    if (to.kind === 'again' && (reason === 'key' || reason === 'estimatedWait')) {
      // Passed over: the caller stays as he is, and so do the agents who ring for him.
      return;
    }
    if (to.kind === 'again' || to.kind === 'callback') {
      // Whoever comes back from there begins a new stay, whose longest wait counts anew.
      this.#stay = undefined;
    }
    this.#context.event('call:exit', { queue: queue.name, reason, to: describeDestination(this.#context, to) });
    this.#context.input({ kind: 'exit', queueId: queue.queueId, to, outcome: outcomeOf(reason, to), letRingFinish });
  }
}

function outcomeOf(reason: ExitReason | 'key', to: ExitDestination): StayOutcome {
  if (reason === 'maxWait') {
    return 'timed-out';
  }
  if (reason === 'key') {
    return 'moved';
  }
  return to.kind === 'hang-up' || to.kind === 'announce' || to.kind === 'voicemail' ? 'ended' : 'overflowed';
}
