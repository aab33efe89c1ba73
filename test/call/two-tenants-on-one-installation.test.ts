import { tmpdir } from 'node:os';
import path from 'node:path';
import { startTeamsTenant } from '../../src/embedded/teams/tenant';
import type { TeamsTenant } from '../../src/embedded/teams/tenant';
import { demoUsers } from '../../src/embedded/teams/users';
import { makeTestAuthority } from '../../src/embedded/tls/test-authority';
import { CALLER_TONE, CallLab, eventually, REAL } from '../support/call-lab';

const FIRST = '+49301000100';
const SECOND = '+49302000100';
const SBC = { first: 'cust1.sbc.example.com', second: 'cust2.sbc.example.com' };

function document(ports: { readonly first: string; readonly second: string }): string {
  const [anna, ben] = demoUsers();
  const tenant = (name: 'first' | 'second', number: string, user: typeof anna) => ({
    trunk: {
      name: `teams-${name}`,
      kind: 'teams',
      tenant: name,
      sbcName: SBC[name],
      sources: ['127.0.0.0/8'],
      optionsSeconds: 2,
      proxies: [{ host: 'sip.pstnhub.microsoft.com', address: ports[name] }],
    },
    queue: {
      name: 'support',
      tenant: name,
      wrapUpSeconds: 0,
      presence: { unknown: 'accept' },
      members: [{ agent: user?.name }],
    },
    number: { number, tenant: name, queue: 'support' },
    agent: {
      name: user?.name,
      tenant: name,
      signedIn: true,
      endpoints: [{ kind: 'teams', trunk: `teams-${name}`, number: user?.number, entraUserId: user?.entraUserId }],
    },
  });
  const both = [tenant('first', FIRST, anna), tenant('second', SECOND, ben)];
  return JSON.stringify({
    apiVersion: 'sidekick/v1',
    tenants: ['first', 'second'].map((name) => ({ name, country: 'DE', timeZone: 'Europe/Berlin' })),
    trunks: [
      { name: 'carrier', kind: 'carrier', sources: ['127.0.0.0/8'], country: 'DE' },
      ...both.map((one) => one.trunk),
    ],
    queues: both.map((one) => one.queue),
    numbers: both.map((one) => one.number),
    agents: both.map((one) => one.agent),
  });
}

describe('two tenants on one installation, a sub-domain each, one wildcard certificate', () => {
  let lab: CallLab | undefined;
  let second: TeamsTenant | undefined;

  beforeAll(async () => {
    const authority = await makeTestAuthority({ directory: REAL.tlsDir ?? path.join(tmpdir(), 'sidekick-test-tls') });
    second = await startTeamsTenant({
      host: '127.0.0.1',
      sipPort: 0,
      httpPort: 0,
      tls: await authority.issue(['sip.pstnhub.microsoft.com']),
      sbcCa: authority.ca,
      tenantId: '99999999-2222-4333-8444-555555555555',
      clientId: '99999999-7777-4888-8999-aaaaaaaaaaaa',
      clientSecret: 'second-secret',
      domains: [SBC.second],
      users: demoUsers().map((user) => ({ ...user, script: { kind: 'answer', afterMs: 100 } })),
      listenFor: [CALLER_TONE],
    });
    const other = `127.0.0.1:${second.sipPort}`;
    lab = await CallLab.start({
      domains: [SBC.first],
      sbcNames: ['*.sbc.example.com'],
      document: ({ teamsProxy }) => document({ first: teamsProxy, second: other }),
    });
  });

  afterAll(async () => {
    await lab?.close();
    await second?.close();
  });

  it('each number rings at its own tenant, which knows us by the sub-domain in Contact', async () => {
    if (!lab || !second) {
      throw new Error('not up');
    }
    const calls = [await lab.dial({ to: FIRST }), await lab.dial({ to: SECOND })] as const;
    await eventually('anna is heard', () => (calls[0].heardMs(1100) > 200 ? true : undefined));
    await eventually('ben is heard', () => (calls[1].heardMs(1300) > 200 ? true : undefined));
    expect(lab.tenant.calls().map((c) => c.agent)).toEqual(['anna']);
    expect(second.calls().map((c) => c.agent)).toEqual(['ben']);
    expect([...lab.tenant.rulesBroken(), ...second.rulesBroken()]).toEqual([]);
    for (const call of calls) {
      await call.hangUp();
      await lab.ending(call);
    }
  });

  it('each tenant’s OPTIONS find their own trunk, and one tenant’s outage is nobody else’s', async () => {
    if (!lab || !second) {
      throw new Error('not up');
    }
    const { tenant, node } = lab;
    const other = second;
    await eventually('both active', () => (tenant.trunks()[0]?.active && other.trunks()[0]?.active ? true : undefined));
    expect(tenant.trunks().map((t) => t.name)).toEqual([SBC.first]);
    expect(other.trunks().map((t) => t.name)).toEqual([SBC.second]);
    other.misbehave({ what: 'proxy-busy', on: true });
    await eventually('the second is down', () => (node.links()['teams teams-second']?.up === false ? true : undefined));
    expect(node.links()['teams teams-first']).toMatchObject({ up: true });
    other.misbehave({ what: 'reset' });
    const call = await lab.dial({ to: FIRST });
    await eventually('anna is heard', () => (call.heardMs(1100) > 200 ? true : undefined));
    await call.hangUp();
    await lab.ending(call);
    await lab.expectNothingLeft();
  });
});
