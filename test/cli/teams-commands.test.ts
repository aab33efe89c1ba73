import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCli } from '../../src/cli/run';
import { readExport } from '../../src/cli/teams-policies/export-file';
import { findProblems } from '../../src/cli/teams-policies/findings';
import type { CheckOptions, FindingRule } from '../../src/cli/teams-policies/findings';
import type { TenantControl } from '../../src/embedded/teams/control-routes';
import { startTenantHttp } from '../../src/embedded/teams/tenant-http';
import { makeServices } from '../../src/embedded/teams/tenant-services';
import { systemClock } from '../../src/lib/clock';
import { store } from '../../src/store';
import { eventually } from '../support/call-lab';
import { testDatabase } from '../support/database';
import { testIo } from '../support/test-io';

const runtime = { startNode: () => Promise.reject(new Error()), startEmbedded: () => Promise.reject(new Error()) };
const ANNA = '5a7f0c1e-0000-4000-8000-000000000201';

const user = (change: object = {}) => ({
  UserPrincipalName: 'anna@example.com',
  Identity: ANNA,
  SipAddress: 'sip:anna@example.com',
  LineUri: 'tel:+493055501001',
  AccountEnabled: true,
  EnterpriseVoiceEnabled: true,
  TeamsUpgradeEffectiveMode: 'TeamsOnly',
  FeatureTypes: ['Teams', 'PhoneSystem'],
  TeamsCallingPolicy: 'Sidekick Agents',
  ...change,
});
const settings = (change: object = {}) => ({
  SipUri: 'sip:anna@example.com',
  IsForwardingEnabled: false,
  ForwardingType: 'Immediate',
  ForwardingTargetType: 'Voicemail',
  IsUnansweredEnabled: false,
  UnansweredDelay: '00:00:20',
  UnansweredTargetType: 'Voicemail',
  ...change,
});
const policy = (change: object = {}) => ({
  Identity: 'Tag:Sidekick Agents',
  AllowPrivateCalling: true,
  AllowVoicemail: 'AlwaysDisabled',
  AllowCallForwardingToUser: false,
  AllowCallForwardingToPhone: false,
  AllowCallGroups: false,
  AllowDelegation: false,
  BusyOnBusyEnabledType: 'Enabled',
  InboundPstnCallRoutingTreatment: 'RegularIncoming',
  ...change,
});

interface Change {
  readonly user?: object;
  readonly settings?: object;
  readonly policy?: object;
}

function rulesFor(change: Change, options: Partial<CheckOptions> = {}): readonly (readonly [FindingRule, string])[] {
  const data = readExport(
    JSON.stringify({
      users: [user(change.user)],
      callingSettings: [settings(change.settings)],
      callingPolicies: [policy(change.policy), { ...policy(), Identity: 'Global', AllowVoicemail: 'UserOverride' }],
    }),
    'policies.json',
  );
  return findProblems(data, { ringSeconds: 15, policy: 'Sidekick Agents', ...options }).map((f) => [f.rule, f.weight]);
}

describe('what would keep a queue’s call from an agent', () => {
  it('is nothing when everything is as agent-policy.ps1 and add-agents.ps1 leave it', () => {
    expect(rulesFor({})).toEqual([]);
  });

  it.each<[string, Change, FindingRule, 'loses' | 'may']>([
    ['forwarding at once', { settings: { IsForwardingEnabled: true } }, 'forwarded', 'loses'],
    [
      'ringing elsewhere at the same time',
      { settings: { IsForwardingEnabled: true, ForwardingType: 'Simultaneous', ForwardingTargetType: 'Group' } },
      'rings-elsewhere-too',
      'may',
    ],
    ['voicemail after 20 s', { settings: { IsUnansweredEnabled: true } }, 'unanswered-too-soon', 'loses'],
    ['a mailbox that the user may switch on', { policy: { AllowVoicemail: 'UserOverride' } }, 'voicemail', 'loses'],
    [
      'calls from outside that never ring',
      { policy: { InboundPstnCallRoutingTreatment: 'Voicemail' } },
      'pstn-not-rung',
      'loses',
    ],
    ['no calls at all', { policy: { AllowPrivateCalling: false } }, 'private-calls-off', 'loses'],
    [
      'a second call that goes to the unanswered rule',
      { policy: { BusyOnBusyEnabledType: 'Unanswered' } },
      'second-call',
      'loses',
    ],
    ['a second call that rings', { policy: { BusyOnBusyEnabledType: 'Disabled' } }, 'second-call', 'may'],
    ['a call group that the user may set up', { policy: { AllowCallGroups: true } }, 'may-forward', 'may'],
    ['a disabled account', { user: { AccountEnabled: false } }, 'account-disabled', 'loses'],
    ['Enterprise Voice that is off', { user: { EnterpriseVoiceEnabled: false } }, 'voice-disabled', 'loses'],
    ['a missing license', { user: { FeatureTypes: ['Teams'] } }, 'no-license', 'loses'],
    ['another mode than TeamsOnly', { user: { TeamsUpgradeEffectiveMode: 'Islands' } }, 'not-teams-only', 'loses'],
    ['a number with an extension', { user: { LineUri: 'tel:+493055501001;ext=12' } }, 'number-with-extension', 'may'],
    ['the global policy, which has voicemail', { user: { TeamsCallingPolicy: '' } }, 'voicemail', 'loses'],
  ])('is found: %s', (_what, change, rule, weight) => {
    expect(rulesFor(change)).toEqual([[rule, weight]]);
  });

  it('depends on how long we ring', () => {
    const change = { settings: { IsUnansweredEnabled: true, UnansweredDelay: '00:00:30' } };
    expect(rulesFor(change)).toEqual([]);
    expect(rulesFor(change, { ringSeconds: 25 })).toEqual([['unanswered-too-soon', 'loses']]);
  });

  it('is looked up by agent: one who is missing, and one with another number', () => {
    const agents = [
      { name: 'Anna', number: '+493055501009', entraUserId: ANNA },
      { name: 'Ben', number: '+493055501002', entraUserId: '5a7f0c1e-0000-4000-8000-000000000202' },
    ];
    expect(rulesFor({}, { agents })).toEqual([
      ['other-number', 'loses'],
      ['not-in-the-export', 'loses'],
    ]);
  });

  it('comes with PowerShell that cannot be broken out of by a name', () => {
    const data = readExport(
      JSON.stringify([user({ UserPrincipalName: "o'hara; rm@example.com", AccountEnabled: false })]),
      'x',
    );
    const [finding] = findProblems(data, { ringSeconds: 15, policy: 'P' });
    expect(finding?.fix).toContain("'o''hara; rm@example.com'");
  });
});

describe('exports', () => {
  it('of single cmdlets are read from CSV too, with a type line, quotes and either separator', () => {
    const comma = '#TYPE Selected\r\n"Identity","AllowVoicemail"\r\n"Tag:A ""b"", c","UserOverride"\r\n';
    expect(readExport(comma, 'x.csv').callingPolicies.map((p) => p.get('identity'))).toEqual(['Tag:A "b", c']);
    expect(readExport('UserPrincipalName;LineUri\na@b.c;tel:+49\n', 'x.csv').users).toHaveLength(1);
    expect(readExport(`\uFEFF${JSON.stringify(settings())}`, 'x.json').callingSettings).toHaveLength(1);
  });

  it.each(['', '{"a": 1}', '[1, 2', 'no;idea\n1;2'])('that are none are refused: %p', (text) => {
    expect(() => readExport(text, 'x')).toThrow(expect.objectContaining({ code: 'SK_USAGE' }));
  });
});

describe('sidekick teams', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'sk-teams-cli-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('check-policies lists users with the command that helps, and says by its exit code whether calls would be lost', async () => {
    const write = (change: Change): void =>
      writeFileSync(
        path.join(dir, 'p.json'),
        JSON.stringify({ users: [user()], callingSettings: [settings(change.settings)], callingPolicies: [policy()] }),
      );
    const run = async () => {
      const io = testIo({ cwd: dir });
      const code = await runCli(['teams', 'check-policies', 'p.json', '-o', 'json'], { io, runtime });
      expect(io.err()).toBe('');
      return { code, out: JSON.parse(io.out()) as { findings: { fix: string }[] } };
    };
    write({});
    expect(await run()).toMatchObject({ code: 0, out: { findings: [] } });
    write({ settings: { IsForwardingEnabled: true } });
    const { code, out } = await run();
    expect(code).toBe(1);
    expect(out.findings[0]?.fix).toBe(
      'Set-CsUserCallingSettings -Identity anna@example.com -IsForwardingEnabled $false',
    );
  });

  it('sign-in waits until a person has signed in, and writes the secret for nobody else to read', async () => {
    const [tenantId, clientId] = ['8e0bd3c4-1111-4222-8333-0123456789ab', '0c3a9f10-1111-4222-8333-0123456789ab'];
    const accounts = [{ name: 'presence@example.com' }];
    const services = makeServices({ tenantId, clientId, clientSecret: 's', users: [], accounts }, systemClock);
    const http = await startTenantHttp({ host: '127.0.0.1', port: 0 }, services, {} as TenantControl, tenantId);
    const env = {
      SIDEKICK_GRAPH_TENANT_ID: tenantId,
      SIDEKICK_GRAPH_CLIENT_ID: clientId,
      SIDEKICK_GRAPH_AUTHORITY: http.baseUrl,
      SIDEKICK_GRAPH_BASE_URL: http.baseUrl,
    };
    const io = testIo({ cwd: dir, env });
    const args = ['teams', 'sign-in', '--account', 'presence@example.com', '--out', 'a.token'];
    const done = runCli(args, { io, runtime });
    const code = await eventually('the code', () => /code ([0-9A-F]{10})/.exec(io.err())?.[1]);
    expect(services.accounts.approve(code, 'presence@example.com')).toBe(true);
    expect(await done).toBe(0);
    const file = path.join(dir, 'a.token');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      account: 'presence@example.com',
      refreshToken: expect.any(String),
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const secret = (JSON.parse(readFileSync(file, 'utf8')) as { refreshToken: string }).refreshToken;
    expect(io.out() + io.err()).not.toContain(secret);
    await http.close();
  });
});

describe('sidekick presence status', () => {
  it('shows for each registration how reading goes', async () => {
    const database = await testDatabase();
    const { nodeId } = await store.registerNode(database.db, { name: 'n1' });
    await store.reportPresenceScope(database.db, '*', nodeId, {
      agents: 5,
      readAt: Date.now(),
      error: undefined,
      requestsPerMinute: 30,
      lagMs: 1_500,
      lagAt: Date.now(),
      push: 'live',
      pushDetail: undefined,
      notifiedAt: undefined,
      written: 1,
    });
    const run = async (...args: string[]) => {
      const io = testIo({ env: { SIDEKICK_DATABASE_URL: database.url } });
      expect(await runCli(['presence', 'status', ...args], { io, runtime })).toBe(0);
      return io.out();
    };
    expect(JSON.parse(await run('-o', 'json'))).toMatchObject({
      registrations: [{ tenant: '*', agents: 5, lagMs: 1_500, notifications: 'live', shownBusy: 1, node: 'n1' }],
    });
    expect(await run('-o', 'table')).toMatch(/\*\s+.*5.*1\.5 s.*30.*live.*1/);
    await database.close();
  });
});
