import { describeError } from '../../lib/errors';
import type { IncomingSession } from '../sip/types';
import type { UserAgent } from '../sip/user-agent';
import { PhoneCall, type PhoneOptions } from './phone-call';

/** What the phone does with a call; may be changed at any time, and holds for calls that come afterwards. */
export type AnsweringScript =
  | { readonly do: 'answer'; readonly afterMs: number; readonly hangUpAfterMs?: number }
  | { readonly do: 'ring' }
  | { readonly do: 'reject'; readonly status: number; readonly reason?: string; readonly afterMs?: number };

/**
 * A phone of a PBX: rings, answers, speaks with its own tone and hears. It owns the user agent's INVITEs; give several phones
 * one user agent by dispatching with `take`.
 */
export class AnsweringPhone {
  readonly calls: PhoneCall[] = [];
  script: AnsweringScript;
  /** Calls that could not even be taken, for example for want of a port. */
  readonly failures: string[] = [];
  readonly #options: PhoneOptions;
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(options: PhoneOptions & { readonly script?: AnsweringScript }) {
    this.#options = options;
    this.script = options.script ?? { do: 'answer', afterMs: 0 };
  }

  /** Takes all calls of a user agent. */
  listen(ua: UserAgent): this {
    ua.onInvite((session) => {
      this.take(session);
    });

    return this;
  }

  take(session: IncomingSession): void {
    const { script } = this;
    PhoneCall.take(session, this.#options)
      .then((call) => {
        if (this.#closed || call.state === 'ended') {
          call.close();

          return;
        }
        this.calls.push(call);
        this.#run(call, script);
      })
      .catch((error: unknown) => {
        this.failures.push(describeError(error));
        session.reject(500);
      });
  }

  /** Calls that have not ended. */
  get live(): number {
    return this.calls.filter((call) => call.state !== 'ended').length;
  }

  /** Ends all calls without a word. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) {
      clearTimeout(timer);
    }
    for (const call of this.calls) {
      call.close();
    }
  }

  #run(call: PhoneCall, script: AnsweringScript): void {
    switch (script.do) {
      case 'ring':
        return call.ring();
      case 'reject':
        return this.#after(script.afterMs ?? 0, call, () => call.reject(script.status, script.reason));
      case 'answer':
        if (script.afterMs > 0) {
          call.ring();
        }

        return this.#after(script.afterMs, call, () => {
          void this.#answer(call, script.hangUpAfterMs);
        });
    }
  }

  async #answer(call: PhoneCall, hangUpAfterMs: number | undefined): Promise<void> {
    try {
      await call.accept();
    } catch (error) {
      this.failures.push(describeError(error));

      return;
    }
    if (hangUpAfterMs !== undefined) {
      this.#after(hangUpAfterMs, call, () => {
        void call.hangUp();
      });
    }
  }

  #after(ms: number, call: PhoneCall, act: () => void): void {
    if (ms === 0) {
      act();

      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (call.state !== 'ended') {
        act();
      }
    }, ms);
    this.#timers.add(timer);
  }
}
