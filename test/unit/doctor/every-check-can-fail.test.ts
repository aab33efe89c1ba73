import type { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CHECKS, runDoctor } from '../../../src/doctor';
import type { CheckReport } from '../../../src/doctor';
import { makeTestAuthority } from '../../../src/embedded/tls/test-authority';
import { readCertificates } from '../../../src/lib/certificate-check';
import { SidekickError } from '../../../src/lib/errors';
import { CARRIER, doctorPorts, NOW, SBC, TEAMS, token } from '../../support/doctor-bench';
import type { Faults } from '../../support/doctor-bench';

const rejected = (error: Error) => () => Promise.reject(error);
const ticking = (stepMs: number): (() => number) => {
  let now = NOW;
  return () => (now += stepMs);
};
const silent = async () => ({ kind: 'silent' as const, why: 'nothing within 5000 ms' });

/** One fault for each check, and what is said of it. */
const FAULTS: readonly (readonly [step: string, what: string, faults: Faults, found: RegExp, fix: RegExp])[] = [
  [
    'settings',
    'a setting is missing',
    { env: { SIDEKICK_DRACHTIO: '' } },
    /SIDEKICK_DRACHTIO is not set/,
    /docs\/settings/,
  ],
  [
    'database',
    'Postgres does not answer',
    {
      database: {
        facts: rejected(
          new SidekickError('SK_POSTGRES_UNREACHABLE', 'Postgres cannot be reached', {
            why: 'ECONNREFUSED',
            next: 'start it',
          }),
        ),
      },
    },
    /^Postgres cannot be reached: ECONNREFUSED$/,
    /start it/,
  ],
  [
    'postgres-version',
    'Postgres is too old',
    { database: { facts: async () => ({ version: '14.9', versionNumber: 140_009, now: NOW }) } },
    /^14\.9$/,
    /15 or later/,
  ],
  ['latency', 'Postgres is far away', { ports: { now: ticking(250) } }, /^250 ms \(median of 9\)$/, /nearer/],
  [
    'clock',
    'the clocks differ',
    { database: { facts: async () => ({ version: '18.4', versionNumber: 180_004, now: NOW + 9_000 }) } },
    /^9000 ms behind$/,
    /NTP/,
  ],
  [
    'migrations',
    'tables are missing',
    { database: { pendingMigrations: async () => ({ pending: ['0016-hours', '0017-flows'], unknown: [] }) } },
    /^2 missing, from 0016-hours$/,
    /migrate up/,
  ],
  [
    'secrets',
    'a password is not there',
    { ports: { env: () => undefined } },
    /^trunk carrier: CARRIER_PASSWORD is not there$/,
    /in the environment of every node/,
  ],
  [
    'secrets',
    'a secret is not there',
    {
      database: {
        trunks: async () => [
          TEAMS,
          {
            ...CARRIER,
            settings: { ...CARRIER.settings, digest: { username: 'us', passwordFrom: 'secret:carrier' } },
          } as never,
        ],
      },
    },
    /secret:carrier is not there/,
    /secrets set carrier/,
  ],
  [
    'drachtio',
    'drachtio refuses the secret',
    {
      ports: {
        sip: rejected(
          new SidekickError('SK_DRACHTIO_REFUSED', 'drachtio-server refused', { next: 'check the secret' }),
        ),
      },
    },
    /refused/,
    /secret/,
  ],
  ['drachtio', 'drachtio listens on nothing', { sip: { transports: [] } }, /listens on nothing/, /contact/],
  [
    'freeswitch',
    'FreeSWITCH does not answer',
    {
      ports: {
        media: rejected(new SidekickError('SK_FREESWITCH_UNREACHABLE', 'FreeSWITCH is away', { next: 'start it' })),
      },
    },
    /^127\.0\.0\.1:8021: FreeSWITCH is away$/,
    /start it/,
  ],
  ['codecs', 'a codec is missing', { api: { 'show codec': 'codec,G.711 ulaw,CORE' } }, /PCMA missing/, /modules\.conf/],
  [
    'sessions',
    'FreeSWITCH is full',
    { api: { status: '1000 session(s) - peak 1000, last 5min 1000 \n1000 session(s) max\n' } },
    /0 of 1000 free/,
    /max-sessions/,
  ],
  ['sessions', 'its status is odd', { api: { status: '-ERR' } }, /cannot be read/, /fs_cli/],
  [
    'certificate',
    'the TLS port is closed',
    { ports: { certificates: rejected(new Error('connect ECONNREFUSED')) } },
    /10\.0\.0\.5:5061 shows none: connect ECONNREFUSED/,
    /TLS port/,
  ],
  [
    'certificate',
    'drachtio has no TLS',
    { sip: { transports: [{ protocol: 'udp', host: '10.0.0.5', port: 5060 }] } },
    /no TLS port/,
    /sbc-config\/tls/,
  ],
  [
    'certificate',
    'nobody knows its authority',
    { ports: { roots: [] } },
    /missing|no public root/,
    /chain\.pem|public/,
  ],
  [
    'certificate',
    'it ends soon',
    { ports: { now: () => Date.now() + 395 * 86_400_000 } },
    /^[01] days? left|^2 days left/,
    /renew/,
  ],
  [
    'certificate',
    'it is for another name',
    {
      database: {
        trunks: async () => [
          { ...TEAMS, settings: { ...TEAMS.settings, sbcName: 'sbc9.example.com' } } as never,
          CARRIER,
        ],
      },
    },
    /sbc9\.example\.com is not covered by sbc1/,
    /subjectAltName/,
  ],
  ['proxies', 'no proxy answers', { sip: { options: silent } }, /sip\.pstnhub\.microsoft\.com: no answer/, /firewall/],
  [
    'proxies',
    'Teams does not know us',
    { sip: { options: async () => ({ kind: 'answered', status: 403, reason: 'Forbidden', ms: 20 }) } },
    /403 Forbidden/,
    /pair sbc1\.example\.com/,
  ],
  [
    'certificate',
    'drachtio takes TLS 1.0 and none of the suites of Teams',
    { ports: { suites: async () => ({ teams: [], others: ['AES128-SHA'], old: ['TLSv1'] }) } },
    /TLSv1 is taken\nnone of ECDHE-RSA-AES256-GCM-SHA384/,
    /min-tls-version/,
  ],
  [
    'proxies',
    'somebody else answers under the name of a proxy',
    { ports: { greet: async () => ({ suite: 0xc030, certificates: [], proven: false }) } },
    /sip2\.pstnhub\.microsoft\.com: the peer did not prove/,
    /where DNS leads/,
  ],
  [
    'carriers',
    'a carrier does not answer',
    { sip: { options: silent } },
    /sip\.carrier\.example:5060 does not answer/,
    /firewalls/,
  ],
  [
    'carriers',
    'there is no carrier',
    { database: { trunks: async () => [TEAMS] } },
    /no carrier trunk/,
    /kind carrier/,
  ],
  [
    'graph-token',
    'Entra refuses the secret',
    {
      ports: {
        graphToken: rejected(
          new SidekickError('SK_GRAPH_REFUSED', 'no token for Graph', { why: 'AADSTS7000215', next: 'a new secret' }),
        ),
      },
    },
    /^no token for Graph: AADSTS7000215$/,
    /new secret/,
  ],
  [
    'graph-permissions',
    'nobody gave consent',
    { ports: { graphToken: async () => token([]) } },
    /no permission/,
    /Presence\.Read\.All and an administrator/,
  ],
  [
    'graph-permissions',
    'write-back lacks its permission',
    { env: { SIDEKICK_GRAPH_WRITE_BACK: 'on' } },
    /Presence\.Read\.All/,
    /ReadWrite\.All .*WRITE_BACK off/,
  ],
  ['graph-permissions', 'the token is none', { ports: { graphToken: async () => 'x' } }, /no permission/, /consent/],
  [
    'presence',
    'nobody reads presence',
    {
      database: {
        presenceAges: async () => [{ queue: 'support', agents: 5, stale: 4, unknown: 1, oldestMs: 900_000 }],
      },
    },
    /support: 5 of 5 agents too old or unknown, oldest 900 s/,
    /node runs/,
  ],
  [
    'presence',
    'Graph failed the last read',
    { database: { presenceScopes: async () => [{ scope: '*', error: 'status 503' } as never] } },
    /the last read failed: status 503/,
    /presence\.md/,
  ],
  [
    'recordings',
    'the disk is full',
    { ports: { space: async () => ({ free: 2 * 1024 ** 3, total: 100 * 1024 ** 3 }) } },
    /2\.0 GiB \(2 %\) free in \/recordings/,
    /recordings/,
  ],
  ['recordings', 'there is no folder', { api: { 'global_getvar recordings_dir': '' } }, /no folder/, /-recordings/],
];

describe('doctor', () => {
  let good: { certificates: X509Certificate[]; microsoft: X509Certificate[]; roots: X509Certificate[] };

  beforeAll(async () => {
    const authority = await makeTestAuthority();
    const sbc = await authority.issue([SBC]);
    const microsoft = await authority.issue(['sip', 'sip2', 'sip3'].map((name) => `${name}.pstnhub.microsoft.com`));
    good = {
      certificates: readCertificates(sbc.cert),
      microsoft: readCertificates(microsoft.cert),
      roots: readCertificates(authority.ca),
    };
  });

  const reports = (faults: Faults = {}): Promise<readonly CheckReport[]> =>
    runDoctor(doctorPorts(good, { ...faults, ports: { ...faults.ports } }));
  const of = (all: readonly CheckReport[], step: string) => all.find((report) => report.step === step)!;

  it('finds nothing wrong where nothing is, and says what it measured', async () => {
    const all = await reports();
    expect(all.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
    expect(all.map(({ number, step }) => `${number} ${step}`)).toEqual(
      CHECKS.map(({ step }, index) => `${index + 1} ${step}`),
    );
    expect(all.every(({ results }) => results.length > 0 && results.every(({ found }) => found !== ''))).toBe(true);
    expect(of(all, 'sessions').results).toEqual([{ verdict: 'ok', found: '127.0.0.1:8021: 997 of 1000 free' }]);
    expect(of(all, 'proxies').results).toHaveLength(6);
  });

  it.each(FAULTS)('%s fails where %s', async (step, _what, faults, found, fix) => {
    const report = of(await reports(faults), step);
    expect(report.verdict).toBe('fail');
    const failed = report.results.filter(({ verdict }) => verdict === 'fail');
    expect(failed.map((result) => result.found).join('\n')).toMatch(new RegExp(found, 'm'));
    expect(failed.map((result) => result.fix).join('\n')).toMatch(fix);
  });

  it('has a fault for every check', () => {
    expect(new Set(FAULTS.map(([step]) => step))).toEqual(new Set(CHECKS.map(({ step }) => step)));
  });

  it('passes over what depends on a failed check, says on which, and goes on with the rest', async () => {
    const all = await reports({ ports: { sip: rejected(new Error('away')) } });
    expect(all.filter(({ verdict }) => verdict === 'fail').map(({ step }) => step)).toEqual(['drachtio']);
    for (const step of ['certificate', 'proxies', 'carriers']) {
      expect(of(all, step).results).toEqual([{ verdict: 'skipped', found: 'not tried: it needs 8 drachtio' }]);
    }
    expect(of(all, 'recordings').verdict).toBe('ok');
  });

  it('a check that was passed over takes its followers along', async () => {
    const all = await reports({ env: { SIDEKICK_DRACHTIO: '' } });
    expect(of(all, 'codecs').results[0]?.found).toBe('not tried: it needs 9 freeswitch');
    expect(of(all, 'database').verdict).toBe('ok');
  });

  it('one proxy of three that does not answer is a warning: calls pass it over', async () => {
    const all = await reports({
      sip: {
        options: async ({ uri }) =>
          uri.includes('sip2') ? silent() : { kind: 'answered', status: 200, reason: 'OK', ms: 30 },
      },
    });
    expect(of(all, 'proxies').results.map(({ verdict }) => verdict)).toEqual(['ok', 'warn', 'ok', 'ok', 'ok', 'ok']);
  });

  it('has every step that docs/pairing.md names', () => {
    const page = readFileSync(path.join(__dirname, '../../../docs/pairing.md'), 'utf8').replaceAll('\n', ' ');
    const named = [...page.matchAll(/steps? of `sidekick doctor`: ((?:\*\*[a-z-]+\*\*(?:, | and )?)+)/gi)].flatMap(
      ([, list = '']) => [...list.matchAll(/\*\*([a-z-]+)\*\*/g)].map(([, step]) => step),
    );
    expect(named.length).toBeGreaterThan(5);
    const steps: readonly string[] = CHECKS.map(({ step }) => step);
    expect(named.filter((step) => !steps.includes(step!))).toEqual([]);
  });

  it('a disk that is elsewhere is skipped, not failed', async () => {
    expect(of(await reports({ ports: { space: async () => undefined } }), 'recordings').verdict).toBe('skipped');
  });

  it('asks each proxy with the name of the SBC in Contact', async () => {
    const asked: string[] = [];
    await reports({
      sip: {
        options: async ({ headers }) => {
          asked.push(headers['Contact'] ?? '');
          return { kind: 'answered', status: 200, reason: 'OK', ms: 1 };
        },
      },
    });
    expect(asked.slice(0, 3)).toEqual(Array(3).fill(`<sip:${SBC}:5061;transport=tls>`));
  });

  it('shows no secret, whatever fails', async () => {
    for (const [, , faults] of FAULTS) {
      expect(JSON.stringify(await reports(faults))).not.toContain('hush');
    }
  });
});
