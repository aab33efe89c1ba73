/** A Teams call queue, as `Get-CsCallQueue | ConvertTo-Json -Depth 8` writes it, one or several. */
import { SidekickError } from '../../lib/errors';
import type { AgentInput, Home, Imported, MemberInput, QueueInput } from './draft';
import { bounded, Draft } from './draft';

export interface TeamsQueueOptions extends Home {
  /** Name of our SBC as paired with the tenant. */
  readonly sbcName: string;
  /** What `Get-CsOnlineUser | ConvertTo-Json` says of the agents: the queue itself holds object ids only. */
  readonly users?: string;
}

type Json = Readonly<Record<string, unknown>>;

const STRATEGIES: Readonly<Record<string, NonNullable<QueueInput['strategy']>>> = {
  Attendant: 'ring-all',
  Serial: 'top-down',
  RoundRobin: 'round-robin',
  LongestIdle: 'longest-idle',
};

const WHY_NOT: Readonly<Record<string, string>> = {
  WelcomeMusicResourceId: 'the greeting is a file in Microsoft’s store: give the number a greeting',
  WelcomeMusicFileName: 'the greeting is a file in Microsoft’s store: give the number a greeting',
  WelcomeTextToSpeechPrompt: 'speech is not made from text: record a greeting and give it to the number',
  MusicOnHoldResourceId: 'the music is a file in Microsoft’s store: give the queue a prompt of its own',
  MusicOnHoldFileName: 'the music is a file in Microsoft’s store: give the queue a prompt of its own',
  ChannelId: 'members of a team’s channel are not read: name the agents',
  DistributionLists: 'members of groups are not read: name the agents',
  OboResourceAccountIds: 'agents do not call out in the name of a queue',
  CallbackRequestDtmf:
    'when and how Teams called back is not read: give the queue callback, with the prompt that asks, and an exit that leads there',
  ShiftsTeamId: 'shifts are not read: give the queue hours',
  OverflowSharedVoicemailTextToSpeechPrompt:
    'speech is not made from text: record a greeting and give it to voicemail of the queue',
  OverflowSharedVoicemailAudioFilePrompt:
    'the greeting is a file in Microsoft’s store: give voicemail of the queue a greeting',
  TimeoutSharedVoicemailTextToSpeechPrompt:
    'speech is not made from text: record a greeting and give it to voicemail of the queue',
  TimeoutSharedVoicemailAudioFilePrompt:
    'the greeting is a file in Microsoft’s store: give voicemail of the queue a greeting',
  NoAgentSharedVoicemailTextToSpeechPrompt:
    'speech is not made from text: record a greeting and give it to voicemail of the queue',
  NoAgentSharedVoicemailAudioFilePrompt:
    'the greeting is a file in Microsoft’s store: give voicemail of the queue a greeting',
};

/** Presences in which Teams rings an agent while presence-based routing is off. */
const WITHOUT_PRESENCE = ['Available', 'AvailableIdle', 'Away', 'BeRightBack', 'Busy', 'BusyIdle'] as const;

/** @throws SidekickError SK_USAGE for what is not that JSON */
export function importTeamsQueue(text: string, options: TeamsQueueOptions): Imported {
  const draft = new Draft(options);
  const queues = listOf(text, 'the file of queues', 'Get-CsCallQueue | ConvertTo-Json -Depth 8');
  const users = new Map(
    (options.users === undefined
      ? []
      : listOf(options.users, 'the file of users', 'Get-CsOnlineUser | ConvertTo-Json')
    ).map((user) => [textOf(user, 'Identity', 'ObjectId', 'ExternalDirectoryObjectId').toLowerCase(), user]),
  );
  const accounts = new Map(
    queues.flatMap((queue) =>
      strings(queue['ApplicationInstances']).map((id) => [id.toLowerCase(), textOf(queue, 'Name')] as const),
    ),
  );
  queues.forEach((queue) => importQueue(draft, queue, users, accounts, options));
  draft.note('numbers', 'the numbers belong to resource accounts, which are not in the file: add `numbers:`');
  return draft.finish();
}

function listOf(text: string, what: string, command: string): readonly Json[] {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    const list = Array.isArray(value) ? (value as unknown[]) : [value];
    if (list.some((entry) => typeof entry !== 'object' || entry === null)) {
      throw new Error('it holds no objects');
    }
    return list as Json[];
  } catch (error) {
    throw new SidekickError('SK_USAGE', `${what} cannot be understood`, {
      why: (error as Error).message,
      next: `write it with: ${command}`,
      cause: error,
    });
  }
}

function textOf(json: Json, ...keys: readonly string[]): string {
  const found = keys.map((key) => json[key]).find((value) => typeof value === 'string' && value !== '');
  return typeof found === 'string' ? found : '';
}

/** A text or a number as text; anything else is no value. */
function scalar(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : [];
}

function importQueue(
  draft: Draft,
  json: Json,
  users: ReadonlyMap<string, Json>,
  accounts: ReadonlyMap<string, string>,
  options: TeamsQueueOptions,
): void {
  const foreign = textOf(json, 'Name', 'Identity') || 'queue';
  const where = `queue "${foreign}"`;
  const method = scalar(json['RoutingMethod']) ?? '';
  const strategy = STRATEGIES[method];
  if (strategy === undefined) {
    draft.note(`${where} RoutingMethod`, `${method || '(none)'} is not known; longest-idle is used`);
  }
  for (const [key, why] of Object.entries(WHY_NOT)) {
    if (isGiven(json[key])) {
      draft.note(`${where} ${key}`, why);
    }
  }
  const number = (key: string, bounds: readonly [number, number]): number | undefined =>
    scalar(json[key]) === undefined ? undefined : bounded(draft, `${where} ${key}`, scalar(json[key]) ?? '', bounds);
  const alert = number('AgentAlertTime', [3, 300]);
  const timeout = number('TimeoutThreshold', [1, 86_400]);
  const overflow = number('OverflowThreshold', [1, 100_000]);
  const target = number('ServiceLevelThresholdResponseTimeInSecond', [1, 3600]);
  // LongestIdle always looks at presence, whatever the switch says.
  const anyPresence = json['PresenceBasedRouting'] === false && method !== 'LongestIdle';
  const exits = {
    ...exit(draft, where, json, 'Overflow', 'full', accounts),
    ...exit(draft, where, json, 'Timeout', 'maxWait', accounts),
    ...exit(draft, where, json, 'NoAgent', 'noAgents', accounts),
  };
  const members = membersOf(draft, where, json, users, options);
  draft.queue({
    name: draft.name('queue', foreign),
    ...(strategy === undefined ? {} : { strategy }),
    ...(alert === undefined ? {} : { ringTimeoutSeconds: alert }),
    ...(overflow === undefined ? {} : { maxWaiting: overflow }),
    ...(timeout === undefined ? {} : { maxWaitSeconds: timeout }),
    ...(target === undefined ? {} : { serviceLevelSeconds: target }),
    ...(anyPresence ? { presence: { accept: [...WITHOUT_PRESENCE], unknown: 'accept' as const } } : {}),
    ...(json['UseDefaultMusicOnHold'] === true ? { music: draft.prompt('moh', { stream: 'moh' }) } : {}),
    ...(Object.keys(exits).length === 0 ? {} : { exits }),
    ...(Object.values(exits).some((action) => action !== undefined && 'voicemail' in action) ? { voicemail: {} } : {}),
    members,
  });
}

const isGiven = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);

/** What Teams does with a call that cannot wait, as an exit of the queue. */
function exit(
  draft: Draft,
  where: string,
  json: Json,
  which: 'Overflow' | 'Timeout' | 'NoAgent',
  reason: 'full' | 'maxWait' | 'noAgents',
  accounts: ReadonlyMap<string, string>,
): NonNullable<QueueInput['exits']> {
  const action = textOf(json, `${which}Action`);
  const place = `${where} ${which}Action`;
  switch (action) {
    case '':
    case 'Queue': {
      return {};
    }
    case 'Disconnect':
    case 'DisconnectWithBusy': {
      return { [reason]: { hangUp: true } };
    }
    case 'SharedVoicemail': {
      draft.note(place, 'messages are kept here and not sent to the group: `sidekick voicemails list` shows them');
      return { [reason]: { voicemail: draft.name('queue', textOf(json, 'Name', 'Identity') || 'queue') } };
    }
    case 'Forward': {
      const given = json[`${which}ActionTarget`];
      const target = typeof given === 'object' && given !== null ? (given as Json) : { Id: given };
      const id = textOf(target, 'Id');
      const e164 = /^(?:tel:)?(\+[1-9]\d{5,14})/.exec(id)?.[1];
      const queue = accounts.get(id.toLowerCase());
      if (e164 !== undefined) {
        draft.allow(e164);
        return { [reason]: { number: e164 } };
      }
      if (queue !== undefined && queue !== textOf(json, 'Name')) {
        return { [reason]: { queues: [draft.name('queue', queue)] } };
      }
      draft.note(
        place,
        `the target ${id || '(none)'} (${textOf(target, 'Type') || 'unknown'}) is not in the file; give exits.${reason} one`,
      );
      return {};
    }
    default: {
      draft.note(place, `${action} has no counterpart; give exits.${reason} an action`);
      return {};
    }
  }
}

function membersOf(
  draft: Draft,
  where: string,
  json: Json,
  users: ReadonlyMap<string, Json>,
  options: TeamsQueueOptions,
): MemberInput[] {
  const agents = Array.isArray(json['Agents']) ? (json['Agents'] as unknown[]) : [];
  const listed = agents.flatMap((agent) => {
    const { ObjectId, OptIn } = (agent ?? {}) as { readonly ObjectId?: unknown; readonly OptIn?: unknown };
    return typeof ObjectId === 'string' ? [{ id: ObjectId.toLowerCase(), optIn: OptIn !== false }] : [];
  });
  const ids = listed.length > 0 ? listed : strings(json['Users']).map((id) => ({ id: id.toLowerCase(), optIn: true }));
  return ids.flatMap(({ id, optIn }) => {
    const agent = agentOf(draft, where, id, users.get(id), options);
    if (agent !== undefined && !optIn) {
      draft.note(
        `${where} ${agent.name}`,
        `opted out there: \`sidekick agents sign-out ${agent.name} --queue …\` does that here`,
      );
    }
    return agent === undefined ? [] : [{ agent: agent.name }];
  });
}

function agentOf(
  draft: Draft,
  where: string,
  id: string,
  user: Json | undefined,
  { sbcName }: TeamsQueueOptions,
): AgentInput | undefined {
  const place = `${where} agent ${id}`;
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) {
    draft.note(place, 'is not the object id of a user; left out');
    return undefined;
  }
  const number = /(\+[1-9]\d{5,14})/.exec(
    user === undefined ? '' : textOf(user, 'LineUri', 'LineURI', 'OnPremLineURI'),
  )?.[1];
  if (user === undefined || number === undefined) {
    draft.note(
      place,
      user === undefined
        ? 'is left out: the number is not in the file; give --users with what Get-CsOnlineUser says'
        : 'is left out: the user has no number, and Direct Routing calls a number',
    );
    return undefined;
  }
  draft.trunk('teams', { name: 'teams', kind: 'teams', sbcName });
  const displayName = textOf(user, 'DisplayName');
  return draft.agent(id, () => ({
    name: (textOf(user, 'UserPrincipalName').split('@')[0] || displayName || id).slice(0, 100),
    ...(displayName === '' ? {} : { displayName: displayName.slice(0, 200) }),
    endpoints: [{ kind: 'teams', trunk: 'teams', number, entraUserId: id }],
  }));
}
