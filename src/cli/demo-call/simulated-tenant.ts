/** What the simulated Teams tenant of a running demo tells about its agents' calls. */
import { describeError, SidekickError } from '../../lib/errors';

export interface AgentSideCall {
  readonly id: string;
  readonly agent: string | null;
  readonly state: string;
  readonly answeredAt: number | null;
  readonly voicemail: boolean;
  readonly heardTones: readonly { readonly hz: number; readonly ms: number; readonly firstAt: number }[];
}

export interface AgentVoice {
  readonly name: string;
  readonly toneHz: number;
}

export class TenantView {
  readonly #baseUrl: string;

  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl;
  }

  /** Calls from this number, newest last. */
  callsFrom(number: string): Promise<readonly AgentSideCall[]> {
    return this.#get(`/_sim/calls?from=${encodeURIComponent(number)}`);
  }

  users(): Promise<readonly AgentVoice[]> {
    return this.#get('/_sim/users');
  }

  /** @throws SidekickError SK_NODE_UNREACHABLE */
  async #get<T>(path: string): Promise<T> {
    try {
      const answer = await fetch(this.#baseUrl + path, { signal: AbortSignal.timeout(5000) });
      if (!answer.ok) {
        throw new Error(`status ${answer.status}`);
      }
      return (await answer.json()) as T;
    } catch (error) {
      throw new SidekickError('SK_NODE_UNREACHABLE', 'the simulated Teams tenant does not answer', {
        why: `${this.#baseUrl}: ${describeError(error)}`,
        next: 'start the demo again with `sidekick demo`',
        cause: error,
      });
    }
  }
}
