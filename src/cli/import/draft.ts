/** A configuration document that grows while something foreign is read, with a note on everything that does not map. */
import type { DocumentInput } from '../../config/documents/schema';

type ListOf<L extends 'queues' | 'agents' | 'trunks' | 'prompts'> = NonNullable<DocumentInput[L]>;
export type QueueInput = ListOf<'queues'>[number];
export type AgentInput = ListOf<'agents'>[number];
export type MemberInput = NonNullable<QueueInput['members']>[number];

/** What the file cannot say about the organisation. */
export interface Home {
  readonly tenant: string;
  readonly country: string;
  readonly timeZone: string;
}

export interface Imported {
  readonly document: DocumentInput;
  /** What was left out or read with a grain of salt, and why; in the order of the file. */
  readonly notes: readonly string[];
}

export class Draft {
  readonly #home: Home;
  readonly #notes = new Set<string>();
  readonly #names = new Map<string, string>();
  readonly #prompts = new Map<string, ListOf<'prompts'>[number]>();
  readonly #trunks = new Map<string, ListOf<'trunks'>[number]>();
  readonly #agents = new Map<string, AgentInput>();
  readonly #queues: QueueInput[] = [];
  readonly #allowed = new Set<string>();

  constructor(home: Home) {
    this.#home = home;
  }

  note(where: string, what: string): void {
    this.#notes.add(`${where}: ${what}`);
  }

  /** A name as the document allows it, for one that may hold anything; the same one for the same, and for no other. */
  name(kind: string, foreign: string): string {
    const key = `${kind}/${foreign}`;
    const known = this.#names.get(key);
    if (known !== undefined) {
      return known;
    }
    const plain = foreign
      .normalize('NFKD')
      .replaceAll(/\p{M}/gu, '')
      .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
      .replaceAll(/^[^A-Za-z0-9]+|-+$/g, '')
      .slice(0, 60);
    const taken = new Set([...this.#names].filter(([other]) => other.startsWith(`${kind}/`)).map(([, made]) => made));
    const base = plain === '' ? kind : plain;
    let made = base;
    for (let n = 2; taken.has(made); n++) {
      made = `${base}-${n}`;
    }
    this.#names.set(key, made);
    if (made !== foreign) {
      this.note(
        `${kind} "${foreign}"`,
        `is called ${made} here, since names hold letters, digits, dots, underscores and hyphens`,
      );
    }
    return made;
  }

  /** A recording or a stream, by the name that it gets. */
  prompt(foreign: string, source: { readonly stream: string } | { readonly file: string }): string {
    const name = this.name('prompt', foreign);
    this.#prompts.set(name, { name, ...source });
    return name;
  }

  trunk(name: string, trunk: ListOf<'trunks'>[number]): void {
    if (!this.#trunks.has(name)) {
      this.#trunks.set(name, trunk);
    }
  }

  /** The agent with this address; the first who comes with it gives the name. */
  agent(address: string, make: () => AgentInput): AgentInput {
    const known = this.#agents.get(address);
    if (known !== undefined) {
      return known;
    }
    const agent = make();
    const names = new Set([...this.#agents.values()].map((a) => a.name));
    let { name } = agent;
    for (let n = 2; names.has(name); n++) {
      name = `${agent.name} ${n}`;
    }
    const made = { ...agent, name };
    this.#agents.set(address, made);
    return made;
  }

  hasAgent(address: string): boolean {
    return this.#agents.has(address);
  }

  queue(queue: QueueInput): void {
    this.#queues.push(queue);
  }

  /** A number outside that calls are sent to. */
  allow(e164: string): void {
    this.#allowed.add(e164);
  }

  finish(): Imported {
    const { tenant, country, timeZone } = this.#home;
    const allowNumbers = [...this.#allowed];
    return {
      document: {
        apiVersion: 'sidekick/v1',
        tenants: [{ name: tenant, country, timeZone, ...(allowNumbers.length === 0 ? {} : { allowNumbers }) }],
        ...filled('trunks', [...this.#trunks.values()]),
        ...filled('prompts', [...this.#prompts.values()]),
        ...filled('queues', this.#queues),
        ...filled('agents', [...this.#agents.values()]),
      },
      notes: [...this.#notes],
    };
  }
}

function filled<K extends string, T>(key: K, list: readonly T[]): { readonly [P in K]?: T[] } {
  return (list.length === 0 ? {} : { [key]: [...list] }) as { readonly [P in K]?: T[] };
}

/** A whole number of seconds within bounds; says so where it had to be changed. */
export function bounded(
  draft: Draft,
  where: string,
  text: string,
  [low, high]: readonly [number, number],
): number | undefined {
  const value = Number(text);
  if (!Number.isFinite(value)) {
    draft.note(where, `"${text}" is not a number; left out`);
    return undefined;
  }
  const made = Math.min(high, Math.max(low, Math.round(value)));
  if (made !== value) {
    draft.note(where, `${text} became ${made}; ${low} to ${high} are possible`);
  }
  return made;
}
