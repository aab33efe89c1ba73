import { accepted, problemAt, type Problem } from './problems';
import type { Document } from './schema';
import type { Path, YamlSource } from './yaml-source';

interface Owned {
  readonly tenant?: string | undefined;
}

const WORDS = { prompts: 'prompt', queues: 'queue', agents: 'agent', flows: 'flow', hours: 'opening hours' } as const;
type NamedList = 'prompts' | 'queues' | 'agents' | 'flows' | 'hours';

/** Checks what the schema cannot see: names that must exist, and things that must be there once. */
export function checkReferences(source: YamlSource, document: Document): readonly Problem[] {
  const check = new References(source, document);
  check.tenants();
  check.duplicates();
  check.trunkTenants();
  check.queues();
  check.agents();
  check.numbers();
  return check.problems;
}

/** Tenant of an item: the one it names, or the only one there is. */
export function tenantOf(document: Document, item: Owned): string | undefined {
  return item.tenant ?? (document.tenants.length === 1 ? document.tenants[0]?.name : undefined);
}

class References {
  readonly problems: Problem[] = [];
  readonly #source: YamlSource;
  readonly #document: Document;
  readonly #collected = new Map<string, ReadonlySet<string>>();

  constructor(source: YamlSource, document: Document) {
    this.#source = source;
    this.#document = document;
  }

  tenants(): void {
    const names = this.#document.tenants.map((tenant) => tenant.name);
    for (const list of ['prompts', 'hours', 'skills', 'flows', 'queues', 'agents', 'numbers'] as const) {
      for (const [i, item] of this.#document[list].entries()) {
        if (item.tenant === undefined && names.length > 1) {
          this.#add([list, i], 'does not name its tenant', `there are several: ${names.join(', ')}`);
        } else if (item.tenant !== undefined && !names.includes(item.tenant)) {
          this.#add(
            [list, i, 'tenant'],
            `there is no tenant "${item.tenant}"`,
            accepted(item.tenant, names, 'tenants'),
          );
        }
      }
    }
  }

  trunkTenants(): void {
    const names = this.#document.tenants.map((tenant) => tenant.name);
    for (const [i, trunk] of this.#document.trunks.entries()) {
      if (trunk.tenant !== undefined && !names.includes(trunk.tenant)) {
        this.#add(
          ['trunks', i, 'tenant'],
          `there is no tenant "${trunk.tenant}"`,
          accepted(trunk.tenant, names, 'tenants'),
        );
      }
    }
  }

  duplicates(): void {
    const { tenants, trunks, prompts, queues, agents, numbers } = this.#document;
    this.#once(
      tenants.map((item, i) => ({ key: item.name, path: ['tenants', i, 'name'], what: `tenant "${item.name}"` })),
    );
    this.#once(
      trunks.map((item, i) => ({ key: item.name, path: ['trunks', i, 'name'], what: `trunk "${item.name}"` })),
    );
    for (const [list, word, items] of [
      ['prompts', 'prompt', prompts],
      ['queues', 'queue', queues],
      ['agents', 'agent', agents],
    ] as const) {
      this.#once(
        items.map((item, i) => ({
          key: `${this.#tenantOf(item)}/${item.name}`,
          path: [list, i, 'name'],
          what: `${word} "${item.name}"`,
        })),
      );
    }
    this.#once(
      numbers.map((item, i) => ({ key: item.number, path: ['numbers', i, 'number'], what: `number ${item.number}` })),
    );
    this.#once(agents.flatMap((agent, i) => this.#addresses(agent, i)));
  }

  /** What may ring one agent only: a number or a user on a trunk, a Teams user within a tenant. */
  #addresses(agent: Document['agents'][number], i: number): { key: string; path: Path; what: string }[] {
    return agent.endpoints.flatMap((endpoint, j) => {
      const path = ['agents', i, 'endpoints', j];
      switch (endpoint.kind) {
        case 'teams': {
          const user = {
            key: `${this.#tenantOf(agent)}/${endpoint.entraUserId}`,
            path: [...path, 'entraUserId'],
            what: 'the Teams user',
          };
          const number = {
            key: `${endpoint.trunk}/${endpoint.number}`,
            path: [...path, 'number'],
            what: `number ${endpoint.number}`,
          };
          return [user, number];
        }
        case 'pbx': {
          return [
            { key: `${endpoint.trunk}/${endpoint.user}`, path: [...path, 'user'], what: `user ${endpoint.user}` },
          ];
        }
        case 'web': {
          return [];
        }
      }
    });
  }

  queues(): void {
    for (const [i, queue] of this.#document.queues.entries()) {
      if (queue.music !== undefined) {
        this.#exists('prompts', queue, queue.music, ['queues', i, 'music']);
      }
      if (queue.hours !== undefined) {
        this.#exists('hours', queue, queue.hours, ['queues', i, 'hours']);
      }
      for (const [j, member] of queue.members.entries()) {
        this.#exists('agents', queue, member.agent, ['queues', i, 'members', j, 'agent']);
      }
      const members = queue.members.map((member, j) => ({
        key: member.agent,
        path: ['queues', i, 'members', j, 'agent'],
        what: `agent "${member.agent}"`,
      }));
      this.#once(members);
    }
  }

  agents(): void {
    for (const [i, agent] of this.#document.agents.entries()) {
      for (const [j, endpoint] of agent.endpoints.entries()) {
        if (endpoint.kind !== 'web') {
          this.#trunk(agent, endpoint, ['agents', i, 'endpoints', j, 'trunk']);
        }
      }
    }
  }

  numbers(): void {
    for (const [i, number] of this.#document.numbers.entries()) {
      if (number.queue !== undefined) {
        this.#exists('queues', number, number.queue, ['numbers', i, 'queue']);
      }
      if (number.flow !== undefined) {
        this.#exists('flows', number, number.flow, ['numbers', i, 'flow']);
      }
      if (number.greeting !== undefined) {
        this.#exists('prompts', number, number.greeting, ['numbers', i, 'greeting']);
      }
    }
  }

  #trunk(agent: Owned, endpoint: { readonly kind: 'teams' | 'pbx'; readonly trunk: string }, path: Path): void {
    const fitting = this.#document.trunks.filter((trunk) => trunk.kind === endpoint.kind).map((trunk) => trunk.name);
    const trunk = this.#document.trunks.find((candidate) => candidate.name === endpoint.trunk);
    if (!trunk) {
      this.#add(
        path,
        `there is no trunk "${endpoint.trunk}"`,
        accepted(endpoint.trunk, fitting, `trunks of kind ${endpoint.kind}`),
      );
    } else if (trunk.kind !== endpoint.kind) {
      const what = `trunk "${trunk.name}" is of kind ${trunk.kind}, the endpoint of kind ${endpoint.kind}`;
      this.#add(path, what, accepted(undefined, fitting, `trunks of kind ${endpoint.kind}`));
    } else if (trunk.tenant !== undefined && trunk.tenant !== this.#tenantOf(agent)) {
      this.#add(path, `trunk "${trunk.name}" belongs to the tenant "${trunk.tenant}" alone`);
    }
  }

  #exists(list: NamedList, from: Owned, name: string, path: Path): void {
    const names = this.#names(list, this.#tenantOf(from));
    if (!names.has(name)) {
      const elsewhere = this.#document[list].find((item) => item.name === name);
      const word = WORDS[list];
      const what = elsewhere
        ? `${word} "${name}" belongs to another tenant, "${this.#tenantOf(elsewhere)}"`
        : `there is no ${word} "${name}"`;
      this.#add(path, what, accepted(name, [...names], list));
    }
  }

  /** Names of a list within a tenant, collected once. */
  #names(list: NamedList, tenant: string): ReadonlySet<string> {
    const key = `${list}/${tenant}`;
    const known = this.#collected.get(key);
    if (known) {
      return known;
    }
    const items: readonly (Owned & { readonly name: string })[] = this.#document[list];
    const names = new Set(items.filter((item) => this.#tenantOf(item) === tenant).map((item) => item.name));
    this.#collected.set(key, names);
    return names;
  }

  #once(items: readonly { readonly key: string; readonly path: Path; readonly what: string }[]): void {
    const first = new Map<string, Path>();
    for (const { key, path, what } of items) {
      const before = first.get(key);
      if (before) {
        this.#add(path, `${what} is there twice`, `first in line ${this.#source.at(before).line}`);
      } else {
        first.set(key, path);
      }
    }
  }

  #tenantOf(item: Owned): string {
    return tenantOf(this.#document, item) ?? '';
  }

  #add(path: Path, what: string, hint?: string): void {
    this.problems.push(problemAt(this.#source, path, what, hint));
  }
}
