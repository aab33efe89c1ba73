import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { readDatabaseUrl, readSettings } from '../../../src/config/settings';
import { SidekickError } from '../../../src/lib/errors';

const least = {
  SIDEKICK_DATABASE_URL: 'postgres://app:hush-db@127.0.0.1:5432/sidekick',
  SIDEKICK_DRACHTIO: '127.0.0.1:9022:hush-drachtio',
  SIDEKICK_FREESWITCH: '127.0.0.1:8021:hush-fs',
};

const text = (value: { toString(): string }): string => value.toString();

function failure(
  env: Record<string, string | undefined>,
  flags: Record<string, string | undefined> = {},
): SidekickError {
  try {
    readSettings(env, flags);
  } catch (error) {
    if (error instanceof SidekickError) {
      return error;
    }
    throw error;
  }
  throw new Error('the settings were taken');
}

describe('settings', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'settings-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('need only a database and the two servers', () => {
    const settings = readSettings(least);
    expect(settings).toMatchObject({
      databaseUrl: least.SIDEKICK_DATABASE_URL,
      drachtio: [{ host: '127.0.0.1', port: 9022, secret: 'hush-drachtio' }],
      freeswitch: [{ host: '127.0.0.1', port: 8021, secret: 'hush-fs' }],
      eslListen: { host: '127.0.0.1', port: 0 },
      http: { host: '127.0.0.1', port: 8080 },
      presencePollMs: 10_000,
      presencePollWaitingMs: 2000,
      drainMs: 30_000,
      keepDecisionsMs: 14 * 86_400_000,
      logLevel: 'info',
      warnings: [],
    });
    expect(settings.graph).toBeUndefined();
    expect(settings.nodeId).toMatch(/^[A-Za-z0-9._-]+$/);
  });

  it('take a comma list of servers, IPv6 hosts, and secrets that hold colons', () => {
    const settings = readSettings({
      ...least,
      SIDEKICK_FREESWITCH: ' fs1.example.net:8021:a:b , [fd00::2]:8022:c ,',
      SIDEKICK_ESL_LISTEN: '10.0.0.5:8085',
    });
    expect(settings.freeswitch.map((s) => [s.host, s.port, s.secret])).toEqual([
      ['fs1.example.net', 8021, 'a:b'],
      ['fd00::2', 8022, 'c'],
    ]);
  });

  it('let an option win over the environment, and let an empty option or variable count as not set', () => {
    const settings = readSettings(
      { ...least, SIDEKICK_HTTP: '127.0.0.1:1', SIDEKICK_LOG_LEVEL: '' },
      { SIDEKICK_HTTP: '127.0.0.1:2', SIDEKICK_NODE_ID: undefined },
    );
    expect(settings.http).toEqual({ host: '127.0.0.1', port: 2 });
    expect(settings.logLevel).toBe('info');
  });

  it('switch HTTP off by name', () => {
    expect(readSettings({ ...least, SIDEKICK_HTTP: 'off' }).http).toBeUndefined();
  });

  it('name every missing and every wrong setting in one error, with code, reason and next step', () => {
    const error = failure({ SIDEKICK_HTTP: '8080', SIDEKICK_LOG_LEVEL: 'loud', SIDEKICK_DRAIN_SECONDS: '-1' });
    expect(error.code).toBe('SK_SETTINGS_INVALID');
    for (const name of ['DATABASE_URL', 'DRACHTIO', 'FREESWITCH', 'HTTP', 'LOG_LEVEL', 'DRAIN_SECONDS']) {
      expect(error.why).toContain(`SIDEKICK_${name} `);
    }
    expect(error.next).toContain('docs/settings.md');
  });

  it.each([
    ['SIDEKICK_DATABASE_URL', 'mysql://root:hush@db/x', 'postgres://'],
    ['SIDEKICK_DATABASE_URL', 'postgres://app:hush@db', 'postgres://'],
    ['SIDEKICK_DRACHTIO', '127.0.0.1:9022', 'host:port:secret'],
    ['SIDEKICK_DRACHTIO', '127.0.0.1:99999:hush', 'port'],
    ['SIDEKICK_DRACHTIO', 'a:1:hush,a:1:hush', 'twice'],
    ['SIDEKICK_DRACHTIO', '[1:2]:1:hush', 'IPv6'],
    ['SIDEKICK_FREESWITCH', ',', 'no server'],
    ['SIDEKICK_HTTP', 'localhost', 'host:port'],
    ['SIDEKICK_ADMIN_TOKEN', 'hush', '16 characters'],
    ['SIDEKICK_GRAPH_BASE_URL', 'http://graph.example.net', 'https'],
    ['SIDEKICK_GRAPH_AUTHORITY', 'ftp://login', 'https'],
    ['SIDEKICK_NODE_ID', 'a b', 'letters'],
    ['SIDEKICK_PROMPTS', '/does/not/exist', 'not a directory'],
    ['SIDEKICK_PRESENCE_POLL_SECONDS', '0', '1 to 300'],
    ['SIDEKICK_DATABASE_POOL', '2.5', 'whole number'],
  ])('refuse %s=%s and say what is expected, without repeating a secret', (name, value, expected) => {
    const error = failure({ ...least, [name]: value });
    expect(error.why).toContain(name);
    expect(error.why).toContain(expected);
    expect(`${error.message}${error.why}${error.next}`).not.toContain('hush');
  });

  it('need an address that a FreeSWITCH on another machine can connect back to', () => {
    const error = failure({ ...least, SIDEKICK_FREESWITCH: 'fs1.example.net:8021:x' });
    expect(error.why).toContain('SIDEKICK_ESL_LISTEN');
  });

  it('read Graph with a client secret', () => {
    const settings = readSettings({
      ...least,
      SIDEKICK_GRAPH_TENANT_ID: 'contoso.onmicrosoft.com',
      SIDEKICK_GRAPH_CLIENT_ID: 'app',
      SIDEKICK_GRAPH_CLIENT_SECRET: 'hush-graph',
      SIDEKICK_GRAPH_BASE_URL: 'http://127.0.0.1:4000/',
    });
    expect(settings.graph).toEqual({
      tenantId: 'contoso.onmicrosoft.com',
      clientId: 'app',
      clientSecret: 'hush-graph',
      cloud: 'global',
      writeBack: false,
      baseUrl: 'http://127.0.0.1:4000',
      authority: 'https://login.microsoftonline.com',
    });
  });

  it('read Graph with a certificate, and refuse a file that is not there with one complaint only', () => {
    const file = path.join(dir, 'graph.pem');
    writeFileSync(file, 'pem');
    const graph = { SIDEKICK_GRAPH_TENANT_ID: 't', SIDEKICK_GRAPH_CLIENT_ID: 'a' };
    expect(readSettings({ ...least, ...graph, SIDEKICK_GRAPH_CLIENT_CERTIFICATE: file }).graph?.certificate).toBe(file);
    const error = failure({ ...least, ...graph, SIDEKICK_GRAPH_CLIENT_CERTIFICATE: `${file}.gone` });
    expect(error.why).toMatch(/^SIDEKICK_GRAPH_CLIENT_CERTIFICATE names [^;]*$/);
  });

  it.each([
    [{ SIDEKICK_GRAPH_TENANT_ID: 't' }, ['CLIENT_ID', 'CLIENT_SECRET']],
    [{ SIDEKICK_GRAPH_CLIENT_SECRET: 's' }, ['TENANT_ID', 'CLIENT_ID']],
    [
      {
        SIDEKICK_GRAPH_TENANT_ID: 't',
        SIDEKICK_GRAPH_CLIENT_ID: 'c',
        SIDEKICK_GRAPH_CLIENT_SECRET: 's',
        SIDEKICK_GRAPH_CLIENT_CERTIFICATE: __filename,
      },
      ['keep one'],
    ],
  ])('refuse half a Graph configuration %#', (graph, expected) => {
    const error = failure({ ...least, ...graph });
    for (const part of expected) {
      expect(error.why).toContain(part);
    }
  });

  it('say that an unknown SIDEKICK_ name has no effect', () => {
    const settings = readSettings({ ...least, SIDEKICK_DRACTIO: 'x', SIDEKICK_TEST_DRACHTIO: 'y', PATH: 'z' });
    expect(settings.warnings).toEqual(['SIDEKICK_DRACTIO is not a setting of sidekick and has no effect']);
  });

  it('never show a secret as JSON, as text or when inspected, nor when copied into a log record', () => {
    const settings = readSettings({
      ...least,
      SIDEKICK_ADMIN_TOKEN: 'hush-0123456789abcdef',
      SIDEKICK_GRAPH_TENANT_ID: 't',
      SIDEKICK_GRAPH_CLIENT_ID: 'c',
      SIDEKICK_GRAPH_CLIENT_SECRET: 'hush-graph',
    });
    const forms = [
      JSON.stringify(settings),
      JSON.stringify({ settings }),
      text(settings),
      inspect(settings, { depth: 9 }),
      inspect(settings.graph, { depth: 9 }),
      JSON.stringify(settings.drachtio),
      text(settings.freeswitch[0]!),
    ];
    for (const form of forms) {
      expect(form).not.toContain('hush');
      expect(form).toContain('***');
    }
    expect(JSON.stringify(settings)).toContain('postgres://app:***@127.0.0.1:5432/sidekick');
  });

  it('give commands that need nothing else the database URL alone', () => {
    expect(readDatabaseUrl(least)).toBe(least.SIDEKICK_DATABASE_URL);
    expect(() => readDatabaseUrl({})).toThrow(/SK_SETTINGS_INVALID/);
  });
});
