import type { CallContext } from './call-context';
import type { CallbackDestination } from './call-state';
import type { CallSound } from './call-sound';
import type { CallTraits } from '../flows/flow';

/** How often the prompt that offers a callback is played to a caller who presses nothing. */
const ASK_TIMES = 2;
/** How long a key is waited for after it, milliseconds. */
const KEY_MS = 5_000;

/** Offers a callback to a caller, and books it. */
export class CallCallback {
  readonly #context: CallContext;
  readonly #sound: CallSound;
  readonly #traits: () => CallTraits;

  constructor(context: CallContext, sound: CallSound, traits: () => CallTraits) {
    this.#context = context;
    this.#sound = sound;
    this.#traits = traits;
  }

  /** Ends in `callback-chosen`. Another key than the one that accepts declines. */
  ask(to: CallbackDestination): void {
    const { event, input, state, plan } = this.#context;
    event('callback:offered', { queue: plan.queue(to.queueId)?.name });
    const uri = to.askUri ?? 'silence_stream://250';
    void (async () => {
      for (let times = 0; times < ASK_TIMES && state().kind === 'asking'; times++) {
        const key = await this.#sound.ask(uri, KEY_MS);
        if (key !== undefined) {
          return key === to.key;
        }
      }
      return false;
    })().then((accepted) => {
      if (state().kind === 'asking') {
        event(accepted ? 'callback:accepted' : 'callback:declined');
        input({ kind: 'callback-chosen', accepted });
      }
    });
  }

  /** Ends in `callback-booked`; until then the caller hears music. It is booked even if he hangs up meanwhile. */
  book({ queueId, number }: CallbackDestination): void {
    const { deps, info, fact, input } = this.#context;
    fact('book-callback', async () => {
      await deps.callbacks?.book({ callId: info.callId, queueId, number, traits: this.#traits() });
      input({ kind: 'callback-booked', ok: deps.callbacks !== undefined });
    });
  }
}
