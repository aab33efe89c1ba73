import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readSettings } from '../../../src/config/settings';
import { SidekickError } from '../../../src/lib/errors';

const least = {
  SIDEKICK_DATABASE_URL: 'postgres://127.0.0.1/sidekick',
  SIDEKICK_DRACHTIO: '127.0.0.1:9022:d',
  SIDEKICK_FREESWITCH: '127.0.0.1:8021:f',
};
const app = { ...least, SIDEKICK_GRAPH_TENANT_ID: 'contoso.com', SIDEKICK_GRAPH_CLIENT_ID: 'app' };

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'graph-settings-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const file = (name: string, content = 'x'): string => {
  const where = path.join(dir, name);
  writeFileSync(where, content);
  return where;
};

function why(env: Record<string, string>): string {
  try {
    readSettings(env);
  } catch (error) {
    if (error instanceof SidekickError) {
      return error.why ?? '';
    }
    throw error;
  }
  throw new Error('the settings were taken');
}

describe('settings of Graph', () => {
  it.each([
    ['global', 'https://graph.microsoft.com', 'https://login.microsoftonline.com'],
    ['gcc', 'https://graph.microsoft.com', 'https://login.microsoftonline.com'],
    ['gcc-high', 'https://graph.microsoft.us', 'https://login.microsoftonline.us'],
    ['dod', 'https://dod-graph.microsoft.us', 'https://login.microsoftonline.us'],
    ['china', 'https://microsoftgraph.chinacloudapi.cn', 'https://login.chinacloudapi.cn'],
  ])('know the addresses of the cloud %s', (cloud, baseUrl, authority) => {
    const { graph } = readSettings({ ...app, SIDEKICK_GRAPH_CLIENT_SECRET: 's', SIDEKICK_GRAPH_CLOUD: cloud });
    expect(graph).toMatchObject({ cloud, baseUrl, authority });
  });

  it('take a federated credential as a file, and one credential only', () => {
    const token = file('token');
    expect(readSettings({ ...app, SIDEKICK_GRAPH_CLIENT_ASSERTION: token }).graph).toMatchObject({
      assertionFile: token,
    });
    expect(why({ ...app, SIDEKICK_GRAPH_CLIENT_ASSERTION: token, SIDEKICK_GRAPH_CLIENT_SECRET: 's' })).toContain(
      'keep one',
    );
    expect(why(app)).toContain('is needed to sign in');
  });

  it('need everything that notifications need, in a cloud that sends them', () => {
    const secret = { ...app, SIDEKICK_GRAPH_CLIENT_SECRET: 's' };
    const push = {
      ...secret,
      SIDEKICK_GRAPH_NOTIFICATION_KEY: file('k'),
      SIDEKICK_GRAPH_ACCOUNTS: `${file('a')}, ${file('b')}`,
    };
    expect(why({ ...secret, SIDEKICK_GRAPH_NOTIFICATION_KEY: file('k') })).toContain(
      'SIDEKICK_GRAPH_ACCOUNTS is not set',
    );
    expect(why(push)).toContain('SIDEKICK_PUBLIC_URL is not set');
    const url = { SIDEKICK_PUBLIC_URL: 'https://sidekick.example.com/' };
    expect(why({ ...push, ...url, SIDEKICK_GRAPH_CLOUD: 'dod' })).toContain(
      'no presence notifications in the cloud dod',
    );
    const settings = readSettings({ ...push, ...url });
    expect(settings.publicUrl).toBe('https://sidekick.example.com');
    expect(settings.graph?.notifications?.accounts).toHaveLength(2);
  });

  it('refuse a cloud that does not exist, and anything but on and off', () => {
    expect(why({ ...app, SIDEKICK_GRAPH_CLIENT_SECRET: 's', SIDEKICK_GRAPH_CLOUD: 'moon' })).toContain('gcc-high');
    expect(why({ ...app, SIDEKICK_GRAPH_CLIENT_SECRET: 's', SIDEKICK_GRAPH_WRITE_BACK: 'yes' })).toContain('on or off');
  });
});

describe('the file of tenants with registrations of their own', () => {
  const yaml = (text: string) => ({ ...least, SIDEKICK_GRAPH_TENANTS: file('tenants.yaml', text), CONTOSO: 'hush' });

  it('gives each its own, with the secret from the environment, which is never shown', () => {
    const settings = readSettings(
      yaml(`tenants:
  - {tenant: contoso, tenantId: contoso.com, clientId: a, clientSecretFrom: CONTOSO}
  - {tenant: fabrikam, tenantId: fabrikam.com, clientId: b, certificate: ${file('c.pem')}, cloud: gcc-high, writeBack: true}
`),
    );
    expect(settings.graph).toBeUndefined();
    expect(settings.graphTenants[0]?.clientSecret).toBe('hush');
    expect(settings.graphTenants[1]).toMatchObject({ baseUrl: 'https://graph.microsoft.us', writeBack: true });
    expect(JSON.stringify(settings)).not.toContain('hush');
  });

  it.each([
    ['tenants: [{tenant: a, tenantId: a.com, clientId: x}]', 'exactly one of'],
    ['tenants: [{tenant: a, tenantId: a.com, clientId: x, clientSecretFrom: NOWHERE}]', 'NOWHERE, which is not set'],
    ['tenants: [{tenant: a, tenantId: a.com, clientId: x, clientSecretFrom: CONTOSO, colour: red}]', 'colour'],
    ['tenants: [{tenant: a, tenantId: a.com, clientId: x, clientSecretFrom: CONTOSO, cloud: moon}]', 'gcc-high'],
    ['tenants: [{tenant: a, tenantId: a.com, clientId: x, certificate: /does/not/exist}]', 'cannot be read'],
    ['tenants: [', 'not YAML'],
    [
      `tenants:
  - {tenant: a, tenantId: a.com, clientId: x, clientSecretFrom: CONTOSO}
  - {tenant: a, tenantId: a.com, clientId: y, clientSecretFrom: CONTOSO}`,
      'twice',
    ],
    [
      'tenants: [{tenant: a, tenantId: a.com, clientId: x, clientSecretFrom: CONTOSO, notifications: {key: /k, accounts: [/a]}}]',
      'SIDEKICK_PUBLIC_URL',
    ],
  ])('is refused with what is wrong: %s', (text, expected) => {
    const problem = why(yaml(text));
    expect(problem).toContain('SIDEKICK_GRAPH_TENANTS');
    expect(problem).toContain(expected);
    expect(problem).not.toContain('hush');
  });
});
