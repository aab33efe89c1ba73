/** FreeSWITCH's callcenter.conf.xml (mod_callcenter): queues, agents, tiers. */
import type { AgentInput, Home, Imported, MemberInput, QueueInput } from './draft';
import { bounded, Draft } from './draft';
import type { Element } from './xml';
import { elementsOf, readXml } from './xml';

export interface FreeswitchOptions extends Home {
  /** Name or address of the FreeSWITCH that the agents' phones are registered at. */
  readonly host: string;
}

const STRATEGIES: Readonly<Record<string, NonNullable<QueueInput['strategy']>>> = {
  'ring-all': 'ring-all',
  'longest-idle-agent': 'longest-idle',
  'round-robin': 'round-robin',
  'top-down': 'top-down',
  'agent-with-least-talk-time': 'least-occupied',
  'agent-with-fewest-calls': 'fewest-calls',
  'sequentially-by-agent-order': 'top-down',
  random: 'weighted-random',
  'ring-progressively': 'ring-progressively',
};

const WHY_NOT: Readonly<Record<string, string>> = {
  'record-template': 'recording is not part of a queue',
  'time-base-score': 'calls are always ordered by the time that they waited in all, which is "system"',
  'max-wait-time-with-no-agent-time-reached': 'a call leaves once nobody was there for noAgentsAfterSeconds',
  'skip-agents-with-external-calls':
    'an agent in a call with us is never offered another; calls elsewhere show in presence',
};

/** Reads the text of a callcenter.conf.xml. @throws SidekickError SK_USAGE for what is not XML */
export function importFreeswitch(text: string, options: FreeswitchOptions): Imported {
  const draft = new Draft(options);
  const root = readXml(text);
  elementsOf(root, 'X-PRE-PROCESS').forEach((element) =>
    draft.note(`X-PRE-PROCESS ${element.attributes['data'] ?? ''}`, 'other files are not read; import them one by one'),
  );
  const agents = new Map(elementsOf(root, 'agent').map((agent) => [agent.attributes['name'] ?? '', agent]));
  const tiers = elementsOf(root, 'tier');
  const queues = elementsOf(root, 'queue');
  const names = new Set(queues.map((queue) => queue.attributes['name'] ?? ''));
  for (const queue of queues) {
    importQueue(draft, queue, tiers, agents, options);
  }
  for (const { attributes } of tiers) {
    if (!names.has(attributes['queue'] ?? '')) {
      draft.note(`tier ${attributes['agent'] ?? ''}`, `there is no queue ${attributes['queue'] ?? ''} in the file`);
    }
  }
  for (const name of agents.keys()) {
    if (!tiers.some((tier) => tier.attributes['agent'] === name)) {
      draft.note(`agent ${name}`, 'is in no tier, so serves no queue; left out');
    }
  }
  draft.note(
    'numbers',
    'callcenter.conf.xml does not say which numbers lead to a queue (the dialplan does): add `numbers:`',
  );
  return draft.finish();
}

function importQueue(
  draft: Draft,
  element: Element,
  tiers: readonly Element[],
  agents: ReadonlyMap<string, Element>,
  options: FreeswitchOptions,
): void {
  const foreign = element.attributes['name'] ?? '';
  const where = `queue ${foreign}`;
  const params = new Map(
    elementsOf(element, 'param').map(({ attributes }) => [attributes['name'] ?? '', attributes['value'] ?? '']),
  );
  const queue: QueueInput = { name: draft.name('queue', foreign.split('@')[0] ?? foreign) };
  for (const [key, value] of params) {
    Object.assign(queue, mapped(draft, `${where} ${key}`, key, value));
  }
  const own = tiers.filter((tier) => tier.attributes['queue'] === foreign);
  const members = own.flatMap((tier) => importTier(draft, where, tier, agents, options) ?? []);
  Object.assign(queue, levelRules(draft, where, params, members));
  Object.assign(queue, agentRules(draft, where, own, agents));
  Object.assign(queue, announcementsOf(draft, where, params));
  draft.queue({ ...queue, members });
}

const yes = (value: string | undefined): boolean => /^(true|yes|1|on)$/i.test(value ?? '');

function mapped(draft: Draft, where: string, key: string, value: string): Partial<QueueInput> {
  switch (key) {
    case 'strategy': {
      const strategy = STRATEGIES[value];
      if (strategy === undefined) {
        draft.note(where, `the strategy ${value} is not known; longest-idle is used`);
      } else if (value === 'sequentially-by-agent-order') {
        draft.note(where, 'became top-down, which begins with the first agent for every call');
      }
      return strategy === undefined ? {} : { strategy };
    }
    case 'moh-sound': {
      return { music: musicOf(draft, where, value) };
    }
    case 'max-wait-time': {
      const most = Number(value) === 0 ? undefined : bounded(draft, where, value, [1, 86_400]);
      return most === undefined ? {} : { maxWaitSeconds: most };
    }
    case 'max-wait-time-with-no-agent': {
      const most = Number(value) === 0 ? undefined : bounded(draft, where, value, [1, 86_400]);
      if (most !== undefined) {
        draft.note(where, 'the call ends then; exits.noAgents may lead it elsewhere');
      }
      return most === undefined ? {} : { noAgentsAfterSeconds: most, exits: { noAgents: { hangUp: true } } };
    }
    case 'ring-progressively-delay': {
      const step = bounded(draft, where, value, [1, 300]);
      return step === undefined ? {} : { stepSeconds: step };
    }
    case 'announce-sound':
    case 'announce-frequency':
    case 'discard-abandoned-after':
    case 'abandoned-resume-allowed':
    case 'tier-rules-apply':
    case 'tier-rule-wait-second':
    case 'tier-rule-wait-multiply-level':
    case 'tier-rule-no-agent-no-wait': {
      return {}; // read together, below
    }
    default: {
      draft.note(where, WHY_NOT[key] ?? 'has no counterpart');
      return {};
    }
  }
}

/** One sound again and again, as long as the caller waits. */
function announcementsOf(
  draft: Draft,
  where: string,
  params: ReadonlyMap<string, string>,
): Pick<QueueInput, 'announcements'> {
  const sound = params.get('announce-sound') ?? '';
  const frequency = params.get('announce-frequency') ?? '0';
  if (sound === '' || Number(frequency) === 0) {
    return {};
  }
  if (sound.includes('$') || sound.includes('://')) {
    draft.note(`${where} announce-sound`, `${sound} is not read; name a recording, and give the queue announcements`);
    return {};
  }
  const everySeconds = bounded(draft, `${where} announce-frequency`, frequency, [10, 3600]);
  if (everySeconds === undefined) {
    return {};
  }
  const prompt = draft.prompt(sound, { file: sound });
  return { announcements: { firstAfterSeconds: everySeconds, everySeconds, rules: [{ prompt }] } };
}

function musicOf(draft: Draft, where: string, value: string): string {
  const stream = /^local_stream:\/\/(.+)$/.exec(value)?.[1];
  if (stream !== undefined) {
    return draft.prompt(stream, { stream: draft.name('stream', stream) });
  }
  if (value.includes('$')) {
    draft.note(where, `the variable in ${value} is not read; the music stream moh is used`);
    return draft.prompt('moh', { stream: 'moh' });
  }
  return draft.prompt(value.split('/').at(-1) ?? value, { file: value });
}

/** When levels open, and how long an abandoned place is kept. */
function levelRules(
  draft: Draft,
  where: string,
  params: ReadonlyMap<string, string>,
  members: readonly MemberInput[],
): Partial<QueueInput> {
  const made: Partial<QueueInput> = {};
  if (yes(params.get('abandoned-resume-allowed'))) {
    const kept = bounded(
      draft,
      `${where} discard-abandoned-after`,
      params.get('discard-abandoned-after') ?? '60',
      [0, 3600],
    );
    Object.assign(made, { resumeWithinSeconds: kept ?? 60 });
  }
  if (!yes(params.get('tier-rules-apply'))) {
    return { ...made, levels: 'merged' };
  }
  const wait =
    bounded(draft, `${where} tier-rule-wait-second`, params.get('tier-rule-wait-second') ?? '300', [0, 86_400]) ?? 300;
  const multiply = yes(params.get('tier-rule-wait-multiply-level') ?? 'true');
  const levels = [...new Set(members.map((m) => m.level ?? 1))].filter((level) => level > 1).sort((a, b) => a - b);
  return {
    ...made,
    levels: 'strict',
    levelAfterSeconds: Object.fromEntries(
      levels.map((level) => [String(level), Math.min(86_400, multiply ? wait * (level - 1) : wait)]),
    ),
    skipEmptyLevels: yes(params.get('tier-rule-no-agent-no-wait')),
  };
}

/** What is a matter of each agent there and of the queue here: the most that one of its agents has. */
function agentRules(
  draft: Draft,
  where: string,
  tiers: readonly Element[],
  agents: ReadonlyMap<string, Element>,
): Partial<QueueInput> {
  const most = (attribute: string, bounds: readonly [number, number]): number | undefined => {
    const values = tiers.flatMap((tier) => agents.get(tier.attributes['agent'] ?? '')?.attributes[attribute] ?? []);
    const distinct = [...new Set(values)].sort((a, b) => Number(b) - Number(a));
    const [first] = distinct;
    if (distinct.length > 1) {
      draft.note(
        `${where} ${attribute}`,
        `its agents have ${distinct.join(', ')}; it belongs to the queue here, which has ${first ?? ''}`,
      );
    }
    return first === undefined ? undefined : bounded(draft, `${where} ${attribute}`, first, bounds);
  };
  const wrapUp = most('wrap-up-time', [0, 3600]);
  const misses = most('max-no-answer', [1, 100]);
  const retry = {
    declined: most('reject-delay-time', [1, 3600]),
    busy: most('busy-delay-time', [1, 3600]),
    noAnswer: most('no-answer-delay-time', [1, 3600]),
  };
  const given = Object.fromEntries(Object.entries(retry).filter(([, value]) => value !== undefined));
  return {
    ...(wrapUp === undefined ? {} : { wrapUpSeconds: wrapUp }),
    ...(misses === undefined ? {} : { missesBeforeNotReady: misses }),
    ...(Object.keys(given).length === 0 ? {} : { retryAfterSeconds: given }),
  };
}

function importTier(
  draft: Draft,
  where: string,
  tier: Element,
  agents: ReadonlyMap<string, Element>,
  options: FreeswitchOptions,
): MemberInput | undefined {
  const foreign = tier.attributes['agent'] ?? '';
  const element = agents.get(foreign);
  if (element === undefined) {
    draft.note(`${where} tier ${foreign}`, 'there is no such agent in the file; left out');
    return undefined;
  }
  const agent = importAgent(draft, foreign, element, options);
  if (agent === undefined) {
    return undefined;
  }
  const number = (key: string, most: number): number =>
    bounded(draft, `${where} tier ${foreign} ${key}`, tier.attributes[key] ?? '1', [1, most]) ?? 1;
  const level = number('level', 1000);
  return { agent: agent.name, ...(level === 1 ? {} : { level }), position: number('position', 100_000) };
}

/** `[leg_timeout=10]user/1000@default`, `sofia/internal/1000@pbx.example.com`, `sofia/gateway/pstn/4930…` */
function importAgent(
  draft: Draft,
  foreign: string,
  { attributes }: Element,
  { host }: FreeswitchOptions,
): AgentInput | undefined {
  const where = `agent ${foreign}`;
  if (attributes['type'] !== undefined && attributes['type'] !== 'callback') {
    draft.note(where, `the type ${attributes['type']} is left out: agents are called, they do not hold a line open`);
    return undefined;
  }
  const contact = attributes['contact'] ?? '';
  const variables = /^\s*[[{]([^\]}]*)[\]}]/.exec(contact)?.[1] ?? '';
  const target = contact.replace(/^\s*[[{][^\]}]*[\]}]/, '');
  const gateway = /^sofia\/gateway\/([^/]+)\/([^@/\s]+)/.exec(target);
  const direct = /^(?:user\/|sofia\/[^/]+\/(?:sips?:)?)([^@/\s]+)/.exec(target);
  const user = gateway?.[2] ?? direct?.[1];
  if (user === undefined || !/^[^\s@;<>"]{1,128}$/.test(user)) {
    draft.note(where, `the contact ${contact || '(none)'} names nobody whom a PBX can be asked for; left out`);
    return undefined;
  }
  const trunk = gateway === null ? 'freeswitch' : draft.name('trunk', gateway[1] ?? 'gateway');
  draft.trunk(trunk, { name: trunk, kind: 'pbx', host });
  if (gateway !== null) {
    draft.note(where, `the gateway ${trunk} became a trunk of kind pbx; give it its own host`);
  }
  const timeout = /(?:leg_timeout|originate_timeout|call_timeout)=(\d+)/.exec(variables)?.[1];
  const maxRingSeconds = timeout === undefined ? undefined : bounded(draft, `${where} timeout`, timeout, [3, 300]);
  return draft.agent(`${trunk}/${user}`, () => ({
    name: (foreign.split('@')[0] ?? foreign).slice(0, 100),
    ...(attributes['status'] === undefined || /^logged out$/i.test(attributes['status']) ? {} : { signedIn: true }),
    endpoints: [{ kind: 'pbx', trunk, user, ...(maxRingSeconds === undefined ? {} : { maxRingSeconds }) }],
  }));
}
