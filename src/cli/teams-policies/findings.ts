/**
 * What in an agent's settings in Teams would keep a queue's call from the agent, or give it to somebody else (Microsoft's pages
 * on Set-CsUserCallingSettings, New-CsTeamsCallingPolicy and on Direct Routing for users). Pure.
 */
import type { PolicyExport, PolicyRecord } from './export-file';

export interface Finding {
  readonly user: string;
  /** `loses`: callers end up elsewhere, or nobody is reached. `may`: the user could make it so, or it is a nuisance. */
  readonly weight: 'loses' | 'may';
  readonly rule: FindingRule;
  readonly what: string;
  /** PowerShell that puts it right. */
  readonly fix: string;
}

export type FindingRule =
  | 'account-disabled'
  | 'not-in-the-export'
  | 'voice-disabled'
  | 'no-license'
  | 'not-teams-only'
  | 'no-number'
  | 'other-number'
  | 'number-with-extension'
  | 'forwarded'
  | 'rings-elsewhere-too'
  | 'unanswered-too-soon'
  | 'voicemail'
  | 'pstn-not-rung'
  | 'private-calls-off'
  | 'second-call'
  | 'may-forward';

/** An agent as configured here. */
export interface ConfiguredAgent {
  readonly name: string;
  readonly number: string;
  readonly entraUserId: string;
}

export interface CheckOptions {
  /** How long we ring an agent. */
  readonly ringSeconds: number;
  /** Name of the policy that the fixes grant. */
  readonly policy: string;
  /** Only these; undefined: every user of the export who has a number. */
  readonly agents?: readonly ConfiguredAgent[];
}

/** Between the end of our ringing and the user's own rule: set-up of the call takes part of it. */
const MARGIN_SECONDS = 5;

export function findProblems(data: PolicyExport, options: CheckOptions): readonly Finding[] {
  const { agents } = options;
  if (agents === undefined) {
    return data.users
      .filter((user) => text(user, 'lineuri') !== '')
      .flatMap((user) => ofUser(user, undefined, data, options));
  }
  return agents.flatMap((agent) => {
    const user = data.users.find((one) => isAgent(one, agent));
    if (user === undefined) {
      const settings = settingsOf(agent.entraUserId, undefined, data);
      return [
        {
          user: agent.name,
          weight: 'loses' as const,
          rule: 'not-in-the-export' as const,
          what: `no user has the object id ${agent.entraUserId} or the number of this agent`,
          fix: `Get-CsOnlineUser -Identity ${agent.entraUserId}`,
        },
        ...(settings ? ofSettings(agent.name, settings, options) : []),
      ];
    }
    return ofUser(user, agent, data, options);
  });
}

function isAgent(user: PolicyRecord, agent: ConfiguredAgent): boolean {
  const id = text(user, 'identity') || text(user, 'objectid');
  return id.toLowerCase() === agent.entraUserId.toLowerCase() || numberOf(user).number === agent.number;
}

function ofUser(
  user: PolicyRecord,
  agent: ConfiguredAgent | undefined,
  data: PolicyExport,
  options: CheckOptions,
): Finding[] {
  const upn = text(user, 'userprincipalname');
  const settings = settingsOf(text(user, 'identity'), user, data);
  const policy = policyOf(user, data);
  return [
    ...ofAccount(upn, user, agent),
    ...(settings ? ofSettings(upn, settings, options) : []),
    ...(policy ? ofPolicy(upn, policy, options) : []),
  ];
}

function ofAccount(upn: string, user: PolicyRecord, agent: ConfiguredAgent | undefined): Finding[] {
  const { number, extension } = numberOf(user);
  const wanted = agent?.number ?? '+E164';
  const assign = `Set-CsPhoneNumberAssignment -Identity ${quoted(upn)} -PhoneNumber ${wanted} -PhoneNumberType DirectRouting`;
  const loses = finder(upn, 'loses');
  const mode = text(user, 'teamsupgradeeffectivemode');
  const features = text(user, 'featuretypes');
  return [
    ...loses(
      no(user, 'accountenabled'),
      'account-disabled',
      'the account is disabled',
      `Update-MgUser -UserId ${quoted(upn)} -AccountEnabled:$true`,
    ),
    ...loses(
      no(user, 'enterprisevoiceenabled'),
      'voice-disabled',
      'Enterprise Voice is off: calls are refused with 403',
      `Set-CsPhoneNumberAssignment -Identity ${quoted(upn)} -EnterpriseVoiceEnabled $true`,
    ),
    ...loses(
      features !== '' && !/PhoneSystem/i.test(features),
      'no-license',
      'the user has no Teams Phone license',
      `Get-MgUserLicenseDetail -UserId ${quoted(upn)}`,
    ),
    ...loses(
      mode !== '' && !/^TeamsOnly$/i.test(mode),
      'not-teams-only',
      `the mode is ${mode}, not TeamsOnly`,
      `Grant-CsTeamsUpgradePolicy -Identity ${quoted(upn)} -PolicyName UpgradeToTeams`,
    ),
    ...loses(number === '', 'no-number', 'the user has no number', assign),
    ...loses(
      number !== '' && agent !== undefined && number !== agent.number,
      'other-number',
      `the number of the user is ${number}, here the agent has ${agent?.number ?? ''}`,
      assign,
    ),
    ...finder(upn, 'may')(
      extension,
      'number-with-extension',
      'the number has an extension; numbers of agents should be unique without one',
      assign,
    ),
  ];
}

function ofSettings(user: string, settings: PolicyRecord, { ringSeconds }: CheckOptions): Finding[] {
  const set = (change: string): string => `Set-CsUserCallingSettings -Identity ${quoted(user)} ${change}`;
  const forwards = yes(settings, 'isforwardingenabled');
  const together = /^Simultaneous$/i.test(text(settings, 'forwardingtype'));
  const target = targetOf(settings, 'forwarding');
  const unanswered = yes(settings, 'isunansweredenabled');
  const delay = secondsOf(text(settings, 'unanswereddelay'));
  return [
    ...finder(user, 'loses')(
      forwards && !together,
      'forwarded',
      `every call is forwarded at once to ${target}`,
      set('-IsForwardingEnabled $false'),
    ),
    ...finder(user, 'may')(
      forwards && together,
      'rings-elsewhere-too',
      `calls also ring at ${target}, who may take them`,
      set('-IsForwardingEnabled $false'),
    ),
    ...finder(user, 'loses')(
      unanswered && delay <= ringSeconds + MARGIN_SECONDS,
      'unanswered-too-soon',
      `after ${delay} s a call goes to ${targetOf(settings, 'unanswered')}; we ring ${ringSeconds} s and need ${MARGIN_SECONDS} s more`,
      set('-IsUnansweredEnabled $false'),
    ),
  ];
}

function ofPolicy(user: string, policy: PolicyRecord, options: CheckOptions): Finding[] {
  const name = policyName(policy);
  const grant = `Grant-CsTeamsCallingPolicy -Identity ${quoted(user)} -PolicyName ${quoted(options.policy)}`;
  const [loses, may] = [finder(user, 'loses'), finder(user, 'may')];
  const voicemail = text(policy, 'allowvoicemail');
  const treatment = text(policy, 'inboundpstncallroutingtreatment');
  const busy = text(policy, 'busyonbusyenabledtype');
  const allowed = [
    ['allowcallforwardingtouser', 'to colleagues'],
    ['allowcallforwardingtophone', 'to any phone'],
    ['allowcallgroups', 'to a call group'],
    ['allowdelegation', 'to delegates'],
  ].flatMap(([field, where]) => (yes(policy, field ?? '') ? [where ?? ''] : []));
  return [
    ...loses(
      !/^AlwaysDisabled$/i.test(voicemail),
      'voicemail',
      `the policy ${name} has AllowVoicemail ${voicemail || 'unset'}: a mailbox can answer, at once where nobody is signed in`,
      grant,
    ),
    ...loses(
      /^(Unanswered|Voicemail)$/i.test(treatment),
      'pstn-not-rung',
      `the policy ${name} never rings for calls from outside (${treatment})`,
      grant,
    ),
    ...loses(
      no(policy, 'allowprivatecalling'),
      'private-calls-off',
      `the policy ${name} allows no calls: they are refused with 403`,
      grant,
    ),
    ...loses(
      /^Unanswered$/i.test(busy),
      'second-call',
      `the policy ${name} sends a second call to the unanswered rule of the user`,
      grant,
    ),
    ...may(
      !/^(Enabled|Unanswered)$/i.test(busy),
      'second-call',
      `the policy ${name} lets a second call ring (busy on busy is ${busy || 'unset'})`,
      grant,
    ),
    ...may(
      allowed.length > 0,
      'may-forward',
      `the policy ${name} lets the user forward calls ${allowed.join(', ')}`,
      grant,
    ),
  ];
}

type Finder = (wrong: boolean, rule: FindingRule, what: string, fix: string) => Finding[];

const finder =
  (user: string, weight: Finding['weight']): Finder =>
  (wrong, rule, what, fix) =>
    wrong ? [{ user, weight, rule, what, fix }] : [];

function settingsOf(id: string, user: PolicyRecord | undefined, data: PolicyExport): PolicyRecord | undefined {
  const names = [id, user ? text(user, 'userprincipalname') : '', user ? text(user, 'sipaddress') : '']
    .map(bareAddress)
    .filter((name) => name !== '');
  return data.callingSettings.find((record) =>
    ['identity', 'sipuri', 'userprincipalname'].some((field) => names.includes(bareAddress(text(record, field)))),
  );
}

/** The policy of a user; who has none of his own has the global one. */
function policyOf(user: PolicyRecord, data: PolicyExport): PolicyRecord | undefined {
  const name = text(user, 'teamscallingpolicy') || 'Global';
  return data.callingPolicies.find((policy) => policyName(policy).toLowerCase() === bareName(name).toLowerCase());
}

const policyName = (policy: PolicyRecord): string => bareName(text(policy, 'identity'));
const bareName = (name: string): string => name.replace(/^Tag:/i, '');
const bareAddress = (name: string): string => name.replace(/^sip:/i, '').toLowerCase();

function numberOf(user: PolicyRecord): { readonly number: string; readonly extension: boolean } {
  const uri = text(user, 'lineuri').replace(/^tel:/i, '');
  return { number: uri.replace(/;.*$/, ''), extension: /;ext=/i.test(uri) };
}

function targetOf(settings: PolicyRecord, kind: 'forwarding' | 'unanswered'): string {
  const type = text(settings, `${kind}targettype`);
  return type === '' || /^Voicemail$/i.test(type)
    ? 'voicemail'
    : type === 'SingleTarget'
      ? 'another number or user'
      : type;
}

/** `00:00:20`, or seconds. */
function secondsOf(delay: string): number {
  const match = /^(?:(\d+):)?(\d+):(\d+)$/.exec(delay);
  return match ? Number(match[1] ?? 0) * 3600 + Number(match[2]) * 60 + Number(match[3]) : Number(delay || '20');
}

function text(record: PolicyRecord, field: string): string {
  const value = record.get(field);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return String(value).trim();
  }
  if (Array.isArray(value)) {
    return value.join(' ');
  }
  // A policy of a user is an object with its name in newer modules.
  const name = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)['Name'] : undefined;
  return typeof name === 'string' ? name : '';
}

const yes = (record: PolicyRecord, field: string): boolean => /^true$/i.test(text(record, field));
const no = (record: PolicyRecord, field: string): boolean => /^false$/i.test(text(record, field));
const quoted = (value: string): string =>
  /^[A-Za-z0-9@._+-]+$/.test(value) ? value : `'${value.replaceAll("'", "''")}'`;
