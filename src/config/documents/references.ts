import { allSkills } from './canonical';
import type { Finding } from './findings';
import { namedByFlow, namedByQueue, targetsOf, type NamedList, type Naming } from './names';
import { accepted } from './problems';
import type { Document } from './schema';
import { tenantOf } from './tenant-of';
import type { Path } from './yaml-source';

interface Owned {
  readonly tenant?: string | undefined;
}

const WORDS: Readonly<Record<NamedList, string>> = {
  prompts: 'prompt',
  queues: 'queue',
  agents: 'agent',
  flows: 'flow',
  hours: 'opening hours',
  skills: 'skill',
};

/** Checks what the schema cannot see: names that must exist, and things that must be there once. */
export function checkReferences(document: Document): readonly Finding[] {
  const check = new References(document);
  check.tenants();
  check.duplicates();
  check.trunkTenants();
  check.teamsTrunks();
  check.names();
  check.agents();
  check.outside();
  check.voicemail();
  check.callback();
  return check.findings;
}

class References {
  readonly findings: Finding[] = [];
  readonly #document: Document;
  readonly #collected = new Map<string, ReadonlySet<string>>();

  constructor(document: Document) {
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

  /** A certified SBC in front has no published name: the trunk must say where it is and from where it calls. */
  teamsTrunks(): void {
    for (const [i, trunk] of this.#document.trunks.entries()) {
      if (trunk.kind !== 'teams' || trunk.form !== 'behind-sbc') {
        continue;
      }
      for (const key of ['proxies', 'sources'] as const) {
        if (trunk[key] === undefined) {
          this.#add(['trunks', i], `lacks ${key}`, 'form behind-sbc needs the addresses of the SBC in front');
        }
      }
    }
  }

  duplicates(): void {
    const { tenants, trunks, prompts, hours, skills, flows, queues, agents, numbers } = this.#document;
    this.#once(
      tenants.map((item, i) => ({ key: item.name, path: ['tenants', i, 'name'], what: `tenant "${item.name}"` })),
    );
    this.#once(
      trunks.map((item, i) => ({ key: item.name, path: ['trunks', i, 'name'], what: `trunk "${item.name}"` })),
    );
    for (const [list, word, items] of [
      ['prompts', 'prompt', prompts],
      ['hours', 'opening hours', hours],
      ['skills', 'skill', skills],
      ['flows', 'flow', flows],
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
      const user =
        endpoint.entraUserId === undefined
          ? []
          : [
              {
                key: `${this.#tenantOf(agent)}/${endpoint.entraUserId}`,
                path: [...path, 'entraUserId'],
                what: 'the Teams user',
              },
            ];
      switch (endpoint.kind) {
        case 'teams': {
          const number = {
            key: `${endpoint.trunk}/${endpoint.number}`,
            path: [...path, 'number'],
            what: `number ${endpoint.number}`,
          };
          return [...user, number];
        }
        case 'pbx': {
          return [
            ...user,
            { key: `${endpoint.trunk}/${endpoint.user}`, path: [...path, 'user'], what: `user ${endpoint.user}` },
          ];
        }
        case 'web': {
          return user;
        }
      }
    });
  }

  /** Everything that is named by something else. */
  names(): void {
    for (const [i, queue] of this.#document.queues.entries()) {
      this.#exist(queue, namedByQueue(queue, ['queues', i]));
      this.#once(
        queue.members.map((member, j) => ({
          key: member.agent,
          path: ['queues', i, 'members', j, 'agent'],
          what: `agent "${member.agent}"`,
        })),
      );
    }
    for (const [i, flow] of this.#document.flows.entries()) {
      this.#exist(flow, namedByFlow(flow, ['flows', i]));
    }
    for (const [i, agent] of this.#document.agents.entries()) {
      const known = Object.keys(agent.skills).map((name): Naming => ({
        list: 'skills',
        name,
        path: ['agents', i, 'skills', name],
      }));
      this.#exist(agent, known);
    }
    for (const [i, number] of this.#document.numbers.entries()) {
      const lists = { queue: 'queues', flow: 'flows', greeting: 'prompts' } as const;
      for (const key of ['queue', 'flow', 'greeting'] as const) {
        const name = number[key];
        this.#exist(number, name === undefined ? [] : [{ list: lists[key], name, path: ['numbers', i, key] }]);
      }
    }
  }

  /** Numbers outside that the tenant does not allow. */
  outside(): void {
    const allowed = new Map(this.#document.tenants.map((tenant) => [tenant.name, tenant.allowNumbers]));
    for (const { tenant, to: number, path } of targetsOf(this.#document, 'number')) {
      const beginnings = allowed.get(tenant) ?? [];
      if (!beginnings.some((beginning) => number.startsWith(beginning))) {
        this.#add(
          path,
          `the tenant does not allow calls to ${number}`,
          beginnings.length === 0
            ? 'name its beginning in allowNumbers of the tenant'
            : `allowed: ${beginnings.join(', ')}`,
        );
      }
    }
  }

  /** Queues for which messages are left although they keep none. A queue that is not there is told as such. */
  voicemail(): void {
    for (const { tenant, to: name, path } of targetsOf(this.#document, 'voicemail')) {
      const queue = this.#document.queues.find((one) => one.name === name && this.#tenantOf(one) === tenant);
      if (queue && queue.voicemail === undefined) {
        this.#add(path, `queue "${name}" keeps no messages`, 'give that queue voicemail, such as voicemail: {}');
      }
    }
  }

  /** Queues that are to call back although they do not say how, or may call nobody. A queue that is not there is told as such. */
  callback(): void {
    const tenants = new Map(this.#document.tenants.map((tenant) => [tenant.name, tenant]));
    for (const { tenant, to: name, path } of targetsOf(this.#document, 'callback')) {
      const queue = this.#document.queues.find((one) => one.name === name && this.#tenantOf(one) === tenant);
      if (queue && queue.callback === undefined) {
        this.#add(path, `queue "${name}" calls nobody back`, 'give that queue callback, with the prompt that asks');
      } else if (queue && tenants.get(tenant)?.allowNumbers.length === 0) {
        this.#add(
          path,
          `the tenant allows no number to be called, so queue "${name}" can call nobody back`,
          'name the beginnings of numbers that may be called in allowNumbers of the tenant',
        );
      }
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

  #trunk(agent: Owned, endpoint: { readonly kind: 'teams' | 'pbx'; readonly trunk: string }, path: Path): void {
    const trunk = this.#document.trunks.find((candidate) => candidate.name === endpoint.trunk);
    if (trunk?.kind === endpoint.kind && (trunk.tenant === undefined || trunk.tenant === this.#tenantOf(agent))) {
      return;
    }
    const fitting = this.#document.trunks.filter(({ kind }) => kind === endpoint.kind).map(({ name }) => name);
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

  #exist(from: Owned, namings: readonly Naming[]): void {
    const tenant = this.#tenantOf(from);
    for (const { list, name, path } of namings) {
      const names = this.#names(list, tenant);
      if (!names.has(name)) {
        const elsewhere = this.#document[list].find((item) => item.name === name && this.#tenantOf(item) !== tenant);
        const what = elsewhere
          ? `${WORDS[list]} "${name}" belongs to another tenant, "${this.#tenantOf(elsewhere)}"`
          : `there ${list === 'hours' ? 'are' : 'is'} no ${WORDS[list]} "${name}"`;
        this.#add(path, what, accepted(name, [...names], list));
      }
    }
  }

  /** Names of a list within a tenant, collected once. */
  #names(list: NamedList, tenant: string): ReadonlySet<string> {
    const key = `${list}/${tenant}`;
    const known = this.#collected.get(key);
    if (known) {
      return known;
    }
    // Without a list of skills, what agents have is what there is.
    const implied = list === 'skills' && this.#document.skills.length === 0;
    const items: readonly (Owned & { readonly name: string })[] = implied
      ? allSkills(this.#document)
      : this.#document[list];
    const names = new Set(items.filter((item) => this.#tenantOf(item) === tenant).map((item) => item.name));
    this.#collected.set(key, names);
    return names;
  }

  #once(items: readonly { readonly key: string; readonly path: Path; readonly what: string }[]): void {
    const first = new Map<string, Path>();
    for (const { key, path, what } of items) {
      const before = first.get(key);
      if (before) {
        this.findings.push({ path, what: `${what} is there twice`, firstAt: before });
      } else {
        first.set(key, path);
      }
    }
  }

  #tenantOf(item: Owned): string {
    return tenantOf(this.#document, item) ?? '';
  }

  #add(path: Path, what: string, hint?: string): void {
    this.findings.push({ path, what, hint });
  }
}
