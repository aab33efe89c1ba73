import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCli } from '../../src/cli/run';
import { testIo } from '../support/test-io';
import { makeTestAuthority } from '../../src/embedded/tls/test-authority';
import { startSipServer } from '../../src/embedded/sip-server';
import { startMediaServer } from '../../src/embedded/media-server/media-server';
import { startTeamsTenant } from '../../src/embedded/teams/tenant';
import { demoUsers } from '../../src/embedded/teams/users';
import { applyDocument } from '../../src/config/documents/apply-document';
import { readDocument } from '../../src/config/documents/parse-document';
import { silentLog } from '../../src/lib/log';
import { testDatabase } from '../support/database';
import type { TestDatabase } from '../support/database';

const SBC = 'sbc1.example.com';
const runtime = {
  startNode: () => Promise.reject(new Error('none')),
  startEmbedded: () => Promise.reject(new Error('none')),
};

describe('doctor and tls check on servers', () => {
  let dir: string;
  let database: TestDatabase;
  let env: Record<string, string>;
  let hole: Server;
  let tlsPort: number;
  const closers: (() => Promise<void>)[] = [];
  const cli = async (args: string[], more: { env?: Record<string, string>; tty?: boolean } = {}) => {
    const io = testIo({ cwd: dir, env: { ...env, ...more.env }, tty: more.tty ?? false });
    const exitCode = await runCli(['--timeout', '1.5', ...args], { io, runtime });
    return { exitCode, out: io.out(), err: io.err() };
  };
  const doctor = async (more: Record<string, string> = {}) => {
    const { exitCode, out } = await cli(['doctor', '--ca', 'ca.pem', '-o', 'json'], { env: more });
    const { checks } = JSON.parse(out) as {
      checks: { step: string; verdict: string; results: { verdict: string; found: string; fix: string | null }[] }[];
    };
    return { exitCode, of: (step: string) => checks.find((check) => check.step === step)! };
  };

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'doctor-'));
    const authority = await makeTestAuthority();
    const sbc = await authority.issue([SBC]);
    writeFileSync(path.join(dir, 'ca.pem'), authority.ca);
    writeFileSync(path.join(dir, 'cert.pem'), sbc.leaf);
    writeFileSync(path.join(dir, 'chain.pem'), sbc.chain);
    writeFileSync(path.join(dir, 'key.pem'), sbc.key);
    const sip = await startSipServer({
      adminHost: '127.0.0.1',
      adminPort: 0,
      secret: 'lab',
      listen: [
        { protocol: 'udp', host: '127.0.0.1', port: 0 },
        { protocol: 'tls', host: '127.0.0.1', port: 0, tls: { key: sbc.key, cert: sbc.cert, ca: sbc.ca } },
      ],
      tlsClient: { key: sbc.key, cert: sbc.cert, ca: sbc.ca },
    });
    closers.push(() => sip.close());
    tlsPort = sip.listening.find((peer) => peer.protocol === 'tls')!.port;
    const media = await startMediaServer({
      sip: { host: '127.0.0.1', port: 0 },
      esl: { host: '127.0.0.1', port: 0, secret: 'lab' },
      rtpHost: '127.0.0.1',
      globals: { recordings_dir: dir },
    });
    closers.push(() => media.close());
    const tenant = await startTeamsTenant({
      host: '127.0.0.1',
      sipPort: 0,
      httpPort: 0,
      tls: await authority.issue(['sip.pstnhub.microsoft.com']),
      sbcCa: authority.ca,
      tenantId: '11111111-2222-4333-8444-555555555555',
      clientId: '66666666-7777-4888-8999-aaaaaaaaaaaa',
      clientSecret: 'lab-secret',
      domains: ['example.com'],
      users: demoUsers(),
      listenFor: [700],
      log: silentLog(),
    });
    closers.push(() => tenant.close());
    hole = createServer((socket) => socket.on('error', () => undefined).resume());
    await new Promise<void>((resolve) => hole.listen(0, '127.0.0.1', resolve));
    database = await testDatabase({ max: 2 });
    closers.push(() => database.close());
    await applyDocument(
      database.db,
      readDocument(
        `
apiVersion: sidekick/v1
tenants: [{ name: demo, country: DE, timeZone: Europe/Berlin }]
trunks:
  - { name: carrier, kind: carrier, sources: [127.0.0.0/8] }
  - name: teams
    kind: teams
    sbcName: ${SBC}
    proxies: [{ host: sip.pstnhub.microsoft.com, address: '127.0.0.1:${tenant.sipPort}' }]
`,
        'doctor.yaml',
      ),
      { by: 'test' },
    );
    env = {
      SIDEKICK_DATABASE_URL: database.url,
      SIDEKICK_DRACHTIO: `${sip.admin.host}:${sip.admin.port}:lab`,
      SIDEKICK_FREESWITCH: `${media.esl.host}:${media.esl.port}:lab`,
      SIDEKICK_GRAPH_TENANT_ID: '11111111-2222-4333-8444-555555555555',
      SIDEKICK_GRAPH_CLIENT_ID: '66666666-7777-4888-8999-aaaaaaaaaaaa',
      SIDEKICK_GRAPH_CLIENT_SECRET: 'lab-secret',
      SIDEKICK_GRAPH_BASE_URL: tenant.baseUrl,
      SIDEKICK_GRAPH_AUTHORITY: tenant.baseUrl,
    };
  });
  afterAll(async () => {
    for (const close of closers.reverse()) {
      await close();
    }
    await new Promise((resolve) => hole.close(resolve));
    rmSync(dir, { recursive: true });
  });

  it('with no node running every server is looked at, and the certificate and the proxy are as they should be', async () => {
    const { of } = await doctor();
    for (const step of [
      'settings',
      'database',
      'migrations',
      'drachtio',
      'freeswitch',
      'codecs',
      'sessions',
      'graph-token',
      'graph-permissions',
    ]) {
      expect([step, of(step)]).toMatchObject([step, { verdict: expect.stringMatching(/^(ok|warn)$/) }]);
    }
    expect(of('certificate').results.map(({ verdict }) => verdict)).toEqual(Array(7).fill('ok'));
    expect(of('proxies').results).toMatchObject([
      { verdict: 'ok', found: expect.stringMatching(/200 after \d+ ms/) },
      { verdict: 'ok', found: expect.stringContaining('shows the certificate of sip.pstnhub.microsoft.com') },
    ]);
    expect(of('carriers')).toMatchObject({ verdict: 'warn' });
    expect(of('recordings').results[0]?.found).toContain(`free in ${dir}`);
  });

  it('on a terminal each check has its number, a mark, a word and what was measured', async () => {
    const { out } = await cli(['doctor', '--ca', 'ca.pem', '--no-color'], { tty: true });
    expect(out).toMatch(/^ 1 ✓ ok {6}settings: /m);
    expect(out).toMatch(/^ 2 ✓ ok {6}database: Postgres answers\n {13}Postgres \d/m);
    expect(out).toMatch(/^14 ! warning carriers: /m);
    expect(out.trim().split('\n').at(-1)).toMatch(/nothing is wrong|of 18 checks failed/);
  });

  it('a wrong secret of either server fails its check, ends with 1 and shows no secret', async () => {
    const wrong = {
      SIDEKICK_DRACHTIO: env['SIDEKICK_DRACHTIO']!.replace(/lab$/, 'hush-hush'),
      SIDEKICK_FREESWITCH: env['SIDEKICK_FREESWITCH']!.replace(/lab$/, 'hush-hush'),
    };
    const { exitCode, of } = await doctor(wrong);
    expect([exitCode, of('drachtio').verdict, of('freeswitch').verdict, of('proxies').verdict]).toEqual([
      1,
      'fail',
      'fail',
      'skipped',
    ]);
    expect(JSON.stringify([of('drachtio'), of('freeswitch')])).not.toContain('hush');
  });

  it('servers that are silent or away fail within the time given', async () => {
    const { port } = hole.address() as AddressInfo;
    const { of } = await doctor({ SIDEKICK_FREESWITCH: `127.0.0.1:${port}:x`, SIDEKICK_DRACHTIO: '127.0.0.1:1:x' });
    expect(of('freeswitch').results[0]?.found).toContain('no answer within 1500 ms');
    expect(of('drachtio').verdict).toBe('fail');
  });

  it('an app registration with a wrong secret fails the token, and its permissions are not tried', async () => {
    const { of } = await doctor({ SIDEKICK_GRAPH_CLIENT_SECRET: 'wrong' });
    expect(of('graph-token').verdict).toBe('fail');
    expect(of('graph-permissions').verdict).toBe('skipped');
  });

  it('a database that is not there is said, and what does not need it is still looked at', async () => {
    const { exitCode, of } = await doctor({ SIDEKICK_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' });
    expect([exitCode, of('database').verdict, of('migrations').verdict, of('drachtio').verdict]).toEqual([
      1,
      'fail',
      'skipped',
      'ok',
    ]);
  });

  it('tls check finds nothing wrong with the files, and takes the names from the configuration', async () => {
    const files = ['tls', 'check', '--cert', 'cert.pem', '--key', 'key.pem', '--chain', 'chain.pem', '--ca', 'ca.pem'];
    const good = await cli(files);
    expect([good.exitCode, good.err]).toEqual([0, '']);
    expect(good.out).toContain(`ok\tname\t${SBC} is covered by ${SBC}`);
    expect((await cli([...files, '--name', 'other.example.com'])).exitCode).toBe(1);
    const missing = await cli(['tls', 'check', '--cert', 'cert.pem', '--ca', 'ca.pem', '-o', 'json']);
    expect(missing.exitCode).toBe(1);
    expect(JSON.parse(missing.out).findings).toContainEqual(
      expect.objectContaining({ check: 'chain', verdict: 'fail', fix: expect.stringContaining('chain.pem') }),
    );
    // The roots of the test authority are nobody's but ours.
    expect((await cli(files.slice(0, -2))).exitCode).toBe(1);
  });

  it('tls check looks at what a server shows', async () => {
    const shown = await cli(['tls', 'check', '--connect', `127.0.0.1:${tlsPort}`, '--ca', 'ca.pem']);
    expect([shown.exitCode, shown.out]).toEqual([0, expect.stringContaining('ok\tchain\tleads to')]);
    expect(shown.out).toContain('ok\tversions\tnothing older than TLS 1.2');
    expect(shown.out).toContain('ok\tsuites\tTLS 1.2 with ECDHE-RSA-AES256-GCM-SHA384, ');
    const { port } = hole.address() as AddressInfo;
    expect(await cli(['tls', 'check', '--connect', `127.0.0.1:${port}`])).toMatchObject({ exitCode: 3 });
    expect(await cli(['tls', 'check'])).toMatchObject({ exitCode: 2 });
    expect(await cli(['tls', 'check', '--cert', 'nothing.pem'])).toMatchObject({ exitCode: 2 });
    expect(await cli(['tls', 'check', '--cert', 'cert.pem', '--key', 'ca.pem'])).toMatchObject({ exitCode: 2 });
  });
});
