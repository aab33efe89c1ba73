/** Which applications want which method, and whose turn it is (wire reference 1.11). */
import type { AdminClient } from './admin-client';

export class ClientRegistry {
  readonly #clients = new Set<AdminClient>();
  readonly #byVerb = new Map<string, AdminClient[]>();
  readonly #turn = new Map<string, number>();

  get size(): number {
    return this.#clients.size;
  }

  add(client: AdminClient): void {
    this.#clients.add(client);
  }

  /** Asking twice for the same verb counts once: a client must not get a double share. */
  route(client: AdminClient, verb: string): void {
    if (!client.routes.has(verb)) {
      client.routes.add(verb);
      this.#byVerb.set(verb, [...(this.#byVerb.get(verb) ?? []), client]);
    }
  }

  unroute(client: AdminClient, verb: string): void {
    client.routes.delete(verb);
    const rest = (this.#byVerb.get(verb) ?? []).filter((other) => other !== client);
    if (rest.length === 0) {
      this.#byVerb.delete(verb);
      this.#turn.delete(verb);
    } else {
      this.#byVerb.set(verb, rest);
    }
  }

  remove(client: AdminClient): void {
    for (const verb of [...client.routes]) {
      this.unroute(client, verb);
    }
    this.#clients.delete(client);
  }

  /** The next client in turn for a SIP method; undefined if nobody wants it. */
  pick(method: string): AdminClient | undefined {
    const verb = method.toLowerCase();
    const list = this.#byVerb.get(verb) ?? [];
    const turn = this.#turn.get(verb) ?? 0;
    for (let i = 0; i < list.length; i++) {
      const client = list[(turn + i) % list.length];
      if (client?.connected === true) {
        this.#turn.set(verb, (turn + i + 1) % list.length);
        return client;
      }
    }
    return undefined;
  }

  all(): AdminClient[] {
    return [...this.#clients];
  }
}
