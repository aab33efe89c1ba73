/** Asterisk's queues.conf: queues, templates, static members. */
import type { AgentInput, Home, Imported, MemberInput, QueueInput } from './draft';
import { announcementsOf } from './asterisk-announcements';
import { bounded, Draft } from './draft';

export interface AsteriskOptions extends Home {
  /** Name or address of the Asterisk that the agents' phones are registered at. */
  readonly host: string;
}

interface Section {
  readonly name: string;
  readonly template: boolean;
  readonly options: readonly (readonly [key: string, value: string])[];
}

const STRATEGIES: Readonly<Record<string, NonNullable<QueueInput['strategy']>>> = {
  ringall: 'ring-all',
  leastrecent: 'longest-idle',
  fewestcalls: 'fewest-calls',
  random: 'weighted-random',
  wrandom: 'weighted-random',
  rrmemory: 'round-robin',
  roundrobin: 'round-robin',
  rrordered: 'round-robin',
  linear: 'top-down',
};

/** Options that have no counterpart, and why that is so. */
const WHY_NOT: Readonly<Record<string, string>> = {
  retry: 'there is no pause between two offers; an agent who let it ring is spared by retryAfterSeconds',
  ringinuse: 'an agent has one call at a time',
  joinempty: 'give the queue exits.noAgents, which says where calls go when nobody is signed in',
  leavewhenempty: 'give the queue noAgentsAfterSeconds and exits.noAgents',
  context: 'give the queue exits.keys, which says what a key leads to',
  'announce-holdtime':
    'no numbers are spoken; give the queue announcements with a recording for each range of estimatedWaitSeconds',
  'announce-round-seconds': 'no numbers are spoken',
  'announce-to-first-user': 'an agent who answers during an announcement is joined with the caller at once',
  'relative-periodic-announce': 'announcements are always so far from the end of the one before',
  'random-periodic-announce': 'announcements are tried in their order',
  announce: 'agents hear nothing before a call',
  'monitor-format': 'recording is not part of a queue',
  'monitor-type': 'recording is not part of a queue',
  mixmonitor: 'recording is not part of a queue',
  setinterfacevar: 'there is no dialplan',
  setqueueentryvar: 'there is no dialplan',
  setqueuevar: 'there is no dialplan',
  membermacro: 'there is no dialplan',
  membergosub: 'there is no dialplan',
  persistentmembers: 'the state of agents is always kept',
  autofill: 'several calls are always served at once',
  shared_lastcall: 'an agent of several queues always rests after each call',
  timeoutpriority: 'there is one ring timeout, that of the queue',
  timeoutrestart: 'a declined call does not restart a timeout',
  penaltymemberslimit: 'levels open by levelAfterSeconds',
  defaultrule: 'queuerules.conf is not read; levels open by levelAfterSeconds',
  log_restricted_caller_id: 'anonymous callers stay anonymous',
};

/** Reads the text of a queues.conf. */
export function importAsterisk(text: string, options: AsteriskOptions): Imported {
  const draft = new Draft(options);
  const sections = readSections(text, draft);
  const general = sections.find((section) => section.name === 'general');
  general?.options.forEach(([key]) => draft.note(`[general] ${key}`, WHY_NOT[key] ?? 'has no counterpart'));
  for (const section of sections) {
    if (!section.template && section.name !== 'general') {
      importQueue(draft, section, options);
    }
  }
  draft.note(
    'numbers',
    'queues.conf does not say which numbers lead to a queue (extensions.conf does): add `numbers:`',
  );
  return draft.finish();
}

/** Sections with what they take over from templates: `[sales](base,other)`, `[base](!)`, `[sales](+)`. */
function readSections(text: string, draft: Draft): readonly Section[] {
  const sections = new Map<string, { template: boolean; options: [string, string][] }>();
  let current: { options: [string, string][] } | undefined;
  for (const row of withoutComments(text).split('\n')) {
    const body = row.trim();
    if (body === '') {
      continue;
    }
    const head = /^\[([^\]]+)\]\s*(?:\(([^)]*)\))?/.exec(body);
    const option = /^([^=\s]+)\s*=>?\s*(.*)$/.exec(body);
    if (head) {
      const [, name = '', list = ''] = head;
      const marks = list.split(',').map((mark) => mark.trim());
      const parents = marks.filter((mark) => mark !== '' && mark !== '!' && mark !== '+');
      const added = marks.includes('+') ? sections.get(name) : undefined;
      const inherited = parents.flatMap((parent) => {
        const known = sections.get(parent);
        if (known === undefined) {
          draft.note(`[${name}]`, `the template ${parent} is not in the file above it`);
        }
        return known?.options ?? [];
      });
      const made = added ?? { template: marks.includes('!'), options: [...inherited] };
      sections.set(name, made);
      current = made;
    } else if (body.startsWith('#')) {
      draft.note(body, 'other files are not read; import them one by one');
    } else if (option && current) {
      current.options.push([(option[1] ?? '').toLowerCase(), (option[2] ?? '').trim()]);
    } else {
      draft.note(body, 'is not understood');
    }
  }
  return [...sections].map(([name, { template, options }]) => ({ name, template, options }));
}

/** `;` to the end of the line unless escaped, and `;-- … --;`. */
function withoutComments(text: string): string {
  return text
    .replaceAll(/;--(?!-)[\s\S]*?--;/g, '')
    .replaceAll(/(^|[^\\]);.*$/gm, '$1')
    .replaceAll('\\;', ';');
}

function importQueue(draft: Draft, section: Section, options: AsteriskOptions): void {
  const where = `[${section.name}]`;
  // Of an option that stands twice the last counts, as in Asterisk; members and announcements are lists.
  const single = new Map(section.options.filter(([key]) => key !== 'member'));
  const queue: QueueInput = { name: draft.name('queue', section.name) };
  for (const [key, value] of single) {
    Object.assign(queue, mapped(draft, `${where} ${key}`, key, value));
  }
  Object.assign(queue, announcementsOf(draft, where, single));
  const members = section.options
    .filter(([key]) => key === 'member')
    .flatMap(([, value]) => importMember(draft, `${where} member ${value}`, value, options) ?? []);
  const once = members.filter((member, i) => members.findIndex((other) => other.agent === member.agent) === i);
  draft.queue({ ...queue, members: once });
}

function mapped(draft: Draft, where: string, key: string, value: string): Partial<QueueInput> {
  const number = (bounds: readonly [number, number]): number | undefined => bounded(draft, where, value, bounds);
  const given = <K extends keyof QueueInput>(name: K, made: QueueInput[K] | undefined): Partial<QueueInput> =>
    made === undefined ? {} : { [name]: made };
  switch (key) {
    case 'strategy': {
      const strategy = STRATEGIES[value.toLowerCase()];
      if (strategy === undefined) {
        draft.note(where, `the strategy ${value} is not known; longest-idle is used`);
      } else if (value.toLowerCase() === 'wrandom') {
        draft.note(where, 'penalties become levels here; the share of the draw is the weight of a member');
      }
      return given('strategy', strategy);
    }
    case 'timeout': {
      return given('ringTimeoutSeconds', number([3, 300]));
    }
    case 'wrapuptime': {
      return given('wrapUpSeconds', number([0, 3600]));
    }
    case 'maxlen': {
      return Number(value) === 0 ? {} : given('maxWaiting', number([1, 100_000]));
    }
    case 'weight': {
      return given('weight', number([0, 1000]));
    }
    case 'servicelevel': {
      return given('serviceLevelSeconds', number([1, 3600]));
    }
    case 'musicclass':
    case 'musiconhold': {
      return given('music', draft.prompt(value, { stream: draft.name('stream', value) }));
    }
    case 'announce-frequency':
    case 'min-announce-frequency':
    case 'announce-position':
    case 'announce-position-limit':
    case 'announce-position-only-up':
    case 'periodic-announce':
    case 'periodic-announce-frequency':
    case 'periodic-announce-startdelay':
    case 'queue-youarenext': {
      return {}; // read together, by announcementsOf
    }
    case 'autopause': {
      const on = /^(yes|true|on|all|1)$/i.test(value);
      if (/^all$/i.test(value)) {
        draft.note(where, 'who misses calls is not ready in every queue, which is how it always is here');
      }
      return on ? { missesBeforeNotReady: 1 } : {};
    }
    default: {
      draft.note(where, WHY_NOT[key] ?? 'has no counterpart');
      return {};
    }
  }
}

/** `member => PJSIP/4711,2,Anna Albrecht,hint:4711@ext` */
function importMember(draft: Draft, where: string, value: string, { host }: AsteriskOptions): MemberInput | undefined {
  const [device = '', penalty = '', memberName = ''] = value.split(',').map((part) => part.trim());
  const match = /^(PJSIP|SIP|IAX2|Local)\/([^@/]+)/i.exec(device);
  const user = match?.[2];
  if (match === null || user === undefined || !/^[^\s@;<>"]{1,128}$/.test(user)) {
    draft.note(
      where,
      'is left out: only PJSIP/…, SIP/…, IAX2/… and Local/… name somebody whom the PBX can be asked for',
    );
    return undefined;
  }
  if (/^local$/i.test(match[1] ?? '')) {
    draft.note(where, `the dialplan behind Local/ is not read; ${user} is called at the PBX`);
  }
  draft.trunk('asterisk', { name: 'asterisk', kind: 'pbx', host });
  const agent = draft.agent(user, (): AgentInput => ({
    name: memberName === '' ? user : memberName.slice(0, 100),
    endpoints: [{ kind: 'pbx', trunk: 'asterisk', user }],
  }));
  const level = penalty === '' ? 1 : (bounded(draft, `${where} penalty`, penalty, [0, 999]) ?? 0) + 1;
  return { agent: agent.name, ...(level === 1 ? {} : { level }) };
}
