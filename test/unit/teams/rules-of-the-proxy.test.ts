import { TEAMS_SUITES, suitesOf } from '../../../src/lib/tls-suites';
import { Sbc, ANNA, PROXIES, makeMaterial, startTenant, until, type Material } from './sbc';
import type { TeamsTenant } from '../../../src/embedded/teams/tenant';
import { SipRejected } from '../../../src/embedded/sip/user-agent';
import type { DialOptions } from '../../../src/embedded/phone/phone-call';
import { PhoneMedia } from '../../../src/embedded/phone/phone-media';
import { demoUsers } from '../../../src/embedded/teams/users';

let material: Material;
let tenant: TeamsTenant;
let sbc: Sbc;

beforeAll(async () => {
  material = await makeMaterial();
});
beforeEach(async () => {
  tenant = await startTenant(material, {
    users: demoUsers().map((user, i) => ({ ...user, voiceEnabled: i !== 1, script: { kind: 'answer', afterMs: 0 } })),
  });
  sbc = await Sbc.start(material, tenant.sipPort);
});
afterEach(async () => {
  await sbc.close();
  await tenant.close();
});

async function refusal(number: string, options: Partial<DialOptions> = {}, by: Sbc = sbc): Promise<SipRejected> {
  const call = await by.call(number, options);
  const error: unknown = await call.answered.then(
    () => call.hangUp().then(() => new Error('the call was answered')),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SipRejected);
  await call.ended;
  return error as SipRejected;
}

const rules = () => tenant.rulesBroken().map((broken) => broken.rule);

// One of each kind over the wire; rules.test.ts breaks every one of them.
test.each<[string, Partial<DialOptions>, string, number, string, RegExp]>([
  ['an IP in Contact', { contact: '<sip:x@127.0.0.1:5061;transport=tls>' }, ANNA.number, 403, 'contact-ip', /cause=63/],
  ['plain RTP', { srtp: false }, ANNA.number, 488, 'srtp-missing', /cause=79;text="[0-9a-f-]{36};531000 /],
  ['a delayed offer', { delayedOffer: true }, ANNA.number, 488, 'delayed-offer', /531000/],
  ['Replaces', { headers: { Replaces: 'a;to-tag=b;from-tag=c' } }, ANNA.number, 403, 'replaces-refused', /Replaces/],
  [
    'an unknown extension',
    { headers: { Require: 'precondition' } },
    ANNA.number,
    420,
    'extension-unsupported',
    /Require/,
  ],
  ['a number of nobody', {}, '+49301999999', 404, 'number-unknown', /511404/],
  ['a number without plus', {}, '49301000201', 404, 'request-uri-plus', /511404/],
  ['a user without Enterprise Voice', {}, demoUsers()[1]!.number, 403, 'voice-disabled', /510560/],
])(
  '%s is refused over the wire, recorded, and shown with its call',
  async (_what, options, number, status, rule, reason) => {
    const { response } = await refusal(number, options);
    expect(response?.status).toBe(status);
    expect(response?.get('reason')).toMatch(/^Q\.850;cause=\d+;text="[0-9a-f]{8}-[0-9a-f-]{27};.*"$/);
    expect(response?.get('reason')).toMatch(reason);
    expect(tenant.calls()).toEqual([
      expect.objectContaining({ state: 'ended', endedBy: 'teams', status, ringingAt: null, to: number }),
    ]);
    expect(tenant.calls()[0]!.rulesBroken).toEqual([
      expect.objectContaining({ rule, status, method: 'INVITE', section: expect.stringMatching(/^\d/) }),
    ]);
    expect(rules()).toEqual([rule]);
    expect(tenant.live).toBe(0);
  },
);

test('a session interval that is too small gets 422 with the smallest allowed, and 1800 is taken', async () => {
  const call = await sbc.call(ANNA.number, { sessionExpires: 600 });
  await call.answered;
  const refused = sbc.wire.find(({ direction, message }) => direction === 'in' && message.status === 422)!.message;
  expect(refused.get('min-se')).toBe('1800');
  expect(refused.get('reason')).toContain('540422');
  expect(call.session.invite.get('session-expires')).toMatch(/^1800/);
  expect(rules()).toEqual(['session-interval']);
  await call.hangUp();
  await until('ended', () => tenant.live === 0);
});

describe('the certificate', () => {
  test('must hold the name in Contact', async () => {
    const identity = await material.authority.issue(['other.example.com']);
    const other = await Sbc.start(material, tenant.sipPort, identity);
    expect((await refusal(ANNA.number, {}, other)).status).toBe(403);
    expect(tenant.rulesBroken()[0]).toMatchObject({
      rule: 'contact-not-in-certificate',
      offending: 'sbc.example.com is not in other.example.com',
    });
    await other.close();
  });

  test('must hold a name of the tenant', async () => {
    const identity = await material.authority.issue(['sbc.stranger.example']);
    const other = await Sbc.start(material, tenant.sipPort, identity);
    const { response } = await refusal(
      ANNA.number,
      { contact: '<sip:sbc.stranger.example:5061;transport=tls>' },
      other,
    );
    expect(response?.status).toBe(403);
    expect(response?.get('reason')).toContain('510532');
    await other.close();
  });

  test('must come from the trusted authority, else there is no connection at all', async () => {
    const stranger = await makeMaterial();
    const identity = { ...stranger.sbc, ca: material.authority.ca };
    const other = await Sbc.start(material, tenant.sipPort, identity, 20);
    // Nobody answers: the stack makes 503 or 408 of it itself.
    expect([408, 503]).toContain((await refusal(ANNA.number, {}, other)).status);
    expect(tenant.calls()).toEqual([]);
    await other.close();
  });
});

describe('OPTIONS', () => {
  test('gets 200 on the same connection, and Teams sends its own to the FQDN in Contact until both are active', async () => {
    const fromTeams: string[] = [];
    sbc.ua.onRequest((request) => {
      fromTeams.push(`${request.message.method} ${request.message.uri}`);
      request.respond(200);
    });
    const response = await sbc.options();
    expect(response.status).toBe(200);
    expect(response.get('allow')).toContain('INVITE');
    await until('active', () => tenant.trunks()[0]?.active);
    expect(tenant.trunks()).toEqual([
      expect.objectContaining({ name: 'sbc.example.com', ownOptionsStatus: 200, active: true }),
    ]);
    expect(fromTeams).toEqual([`OPTIONS sip:sbc.example.com:${sbc.port};transport=tls`]);
    await sbc.options();
    expect(fromTeams).toHaveLength(1);
    expect(rules()).toEqual([]);
  });

  test('of Teams that are refused leave the trunk inactive', async () => {
    sbc.ua.onRequest((request) => request.respond(403));
    await sbc.options();
    await until('answered', () => tenant.trunks()[0]?.ownOptionsStatus === 403);
    expect(tenant.trunks()[0]!.active).toBe(false);
  });

  test.each([
    [{ uri: 'sip:ping@sip.pstnhub.microsoft.com' }, 400, 'options-user'],
    [{ contact: '<sip:127.0.0.1:5061;transport=tls>' }, 403, 'contact-ip'],
    [{ contact: '<sip:elsewhere.example.com:5061;transport=tls>' }, 403, 'contact-not-in-certificate'],
    [{ from: '<sip:+4930@sbc.example.com>' }, 400, 'options-tel'],
  ])('with %j are refused', async (changes, status, rule) => {
    const response = await sbc.options(changes);
    expect(response.status).toBe(status);
    expect(rules()).toEqual([rule]);
    expect(tenant.trunks()).toEqual([]);
  });
});

test('a busy data centre answers OPTIONS and INVITE with 503 and when to come back', async () => {
  tenant.misbehave({ what: 'proxy-busy', on: true });
  expect((await sbc.options()).status).toBe(503);
  const { response } = await refusal(ANNA.number);
  expect([response?.status, response?.get('retry-after')]).toEqual([503, '1']);
  tenant.misbehave({ what: 'reset' });
  expect((await sbc.options()).status).toBe(200);
});

test('an offer that breaks no rule but has no codec of a simulated agent gets 488', async () => {
  for (const earlyMedia of [false, true]) {
    tenant.setScript('anna', { kind: 'answer', afterMs: 20, earlyMedia });
    const media = await PhoneMedia.open({ host: '127.0.0.1', srtp: true, codecs: ['PCMA'] });
    const sdp = media.offer().replace(' 8 101', ' 9 101').replace('rtpmap:8 PCMA', 'rtpmap:9 G722');
    media.close();
    const session = sbc.ua.invite(`sip:${ANNA.number}@sip.pstnhub.microsoft.com;user=phone`, {
      target: sbc.proxy,
      contact: sbc.contact,
      from: '<sip:+4915112345678@sbc.example.com>',
      sdp,
    });
    await expect(session.answered).rejects.toMatchObject({ status: 488 });
  }
  expect(rules()).toEqual([]);
  expect(tenant.live).toBe(0);
});

test('names lead where the table says', async () => {
  await tenant.close();
  tenant = await startTenant(material, { resolve: { 'sbc.example.com': { address: '127.0.0.1', port: sbc.port } } });
  const other = await Sbc.start(material, tenant.sipPort);
  let asked = 0;
  sbc.ua.onRequest((request) => {
    asked++;
    request.respond(200);
  });
  // The Contact's own port leads nowhere; the table's does.
  await other.options({ contact: '<sip:sbc.example.com:9;transport=tls>' });
  await until('OPTIONS of Teams', () => asked === 1 && tenant.trunks()[0]?.active);
  await other.close();
});

test('offers with wrong keys do not end up in the log of broken rules', async () => {
  const media = await PhoneMedia.open({ host: '127.0.0.1', srtp: true });
  const sdp = media.offer();
  media.close();
  const key = /inline:(\S+)/.exec(sdp)![1]!;
  const session = sbc.ua.invite(`sip:${ANNA.number}@sip.pstnhub.microsoft.com;user=phone`, {
    target: sbc.proxy,
    contact: sbc.contact,
    from: '<sip:+4915112345678@sbc.example.com>',
    sdp: sdp.replace(key, key.slice(4)),
  });
  await expect(session.answered).rejects.toMatchObject({ status: 488 });
  expect(rules()).toEqual(['crypto-malformed']);
  expect(JSON.stringify(tenant.rulesBroken())).not.toContain(key.slice(4));
});

test('the proxy speaks TLS 1.2 with the four suites of Direct Routing and nothing else', async () => {
  const peer = { host: '127.0.0.1', port: tenant.sipPort, serverName: PROXIES[0]! };
  expect(await suitesOf(peer, 2_000)).toEqual({ teams: Object.keys(TEAMS_SUITES), others: [], old: [] });
});
