import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import pino from 'pino';
import { runCli } from '../../src/cli/run';
import { applyDocument } from '../../src/config/documents/apply-document';
import { readDocument } from '../../src/config/documents/parse-document';
import { readSettings } from '../../src/config/settings';
import { SecretVault } from '../../src/config/secrets/secret-vault';
import { readSecretKeys, secretPlace } from '../../src/config/secrets/secret-box';
import { isUserToken, tokenDigest } from '../../src/config/user-tokens';
import { store } from '../../src/store';
import { testDatabase } from '../support/database';
import type { TestDatabase } from '../support/database';
import { testIo } from '../support/test-io';

const KEY = randomBytes(32).toString('base64');
const NEXT_KEY = randomBytes(32).toString('hex');
const PASSWORD = 'correct horse battery staple';

const CENTER = `
apiVersion: sidekick/v1
tenants:
  - { name: demo, country: DE, timeZone: Europe/Berlin }
  - { name: other, country: DE, timeZone: Europe/Berlin }
trunks:
  - { name: carrier, kind: carrier, sources: [127.0.0.0/8], digest: { username: me, passwordFrom: 'secret:carrier-password' } }
  - { name: pbx, kind: pbx, host: 127.0.0.1 }
queues:
  - { name: support, tenant: demo, members: [{ agent: Anna }] }
agents:
  - { name: Anna, tenant: demo, endpoints: [{ kind: pbx, trunk: pbx, user: '1' }] }
`;

const runtime = {
  startNode: () => Promise.reject(new Error('none')),
  startEmbedded: () => Promise.reject(new Error('none')),
};

describe('secrets and users', () => {
  let database: TestDatabase;
  const run = async (
    args: string[],
    more: { stdin?: string; env?: Record<string, string>; tty?: boolean; answers?: string[] } = {},
  ) => {
    const { env, ...rest } = more;
    const io = testIo({ ...rest, env: { SIDEKICK_DATABASE_URL: database.url, SIDEKICK_SECRET_KEY: KEY, ...env } });
    const exitCode = await runCli(args, { io, runtime });
    return { exitCode, out: io.out(), err: io.err() };
  };
  const json = async (...args: string[]) => JSON.parse((await run([...args, '-o', 'json'])).out);
  /** Everything that the database holds, as text. */
  const everything = async (): Promise<string> => {
    const { rows } = await database.db.query<{ name: string }>(
      `select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'`,
    );
    const tables = await Promise.all(
      rows.map(async ({ name }) => JSON.stringify((await database.db.query(`select * from ${name} t`)).rows)),
    );
    return tables.join('\n');
  };
  const audit = async (noun: string) =>
    (
      await database.db.query<{ by: string; name: string; what: string; before: unknown; after: unknown }>(
        'select by, name, what, before, after from audit_log where noun = $1 order by id',
        [noun],
      )
    ).rows;
  const secrets = (keys: string, logged: string[] = []) =>
    new SecretVault({
      load: () => store.sealedSecrets(database.db),
      keys: readSecretKeys(keys),
      env: (name) => (name === 'FROM_ENV' ? 'of the environment' : undefined),
      log: pino({ level: 'trace' }, { write: (text: string) => logged.push(text) }),
    });

  beforeAll(async () => {
    database = await testDatabase({ max: 4 });
    await applyDocument(database.db, readDocument(CENTER, 'center.yaml'), { by: 'test' });
  });
  afterAll(() => database.close());

  it('a secret comes from standard input and is kept encrypted, and no output, table or history shows it', async () => {
    const set = await run(['secrets', 'set', 'carrier-password'], { stdin: `${PASSWORD}\n` });
    expect([set.exitCode, set.out]).toEqual([
      0,
      expect.stringMatching(/^carrier-password is kept, encrypted with key [0-9a-f]{8}\n$/),
    ]);
    const list = await run(['secrets', 'list', '-o', 'wide']);
    expect(list.out).toMatch(/carrier-password\s+all\s+\*\*\*\s+[0-9a-f]{8} \(current\)/);
    const exported = await run(['config', 'export']);
    for (const text of [set.out, set.err, list.out, list.err, exported.out, await everything()]) {
      expect(text).not.toContain(PASSWORD);
      expect(text).not.toContain(Buffer.from(PASSWORD).toString('hex'));
      expect(text).not.toContain(Buffer.from(PASSWORD).toString('base64'));
    }
  });

  it('the audit says who set it, and hides even what is encrypted', async () => {
    const [created] = await audit('secret');
    expect(created).toMatchObject({
      by: expect.stringMatching(/^cli/),
      name: 'carrier-password',
      what: 'create',
      before: null,
      after: { sealed: '***', nonce: '***', name: 'carrier-password' },
    });
  });

  it('a node finds it under the name in the document, and the tenant of its own before the shared one', async () => {
    await run(['secrets', 'set', 'carrier-password', '--tenant', 'demo'], { stdin: 'only for demo' });
    const demo = (await store.loadTenants(database.db)).find(({ name }) => name === 'demo')!;
    const other = (await store.loadTenants(database.db)).find(({ name }) => name === 'other')!;
    const found = secrets(KEY);
    await found.load();
    expect([
      found.resolve('secret:carrier-password'),
      found.resolve('secret:carrier-password', other.id),
      found.resolve('secret:carrier-password', demo.id),
      found.resolve('secret:nothing'),
      found.resolve('FROM_ENV'),
    ]).toEqual([PASSWORD, PASSWORD, 'only for demo', undefined, 'of the environment']);
  });

  it('a node with another key finds nothing and logs the name alone', async () => {
    const logged: string[] = [];
    const blind = secrets(NEXT_KEY, logged);
    await blind.load();
    expect(blind.resolve('secret:carrier-password')).toBeUndefined();
    expect(logged.join()).toContain('"event":"secret_not_opened"');
    expect(logged.join()).not.toContain(PASSWORD);
  });

  it('one secret cannot be passed off as another by whoever may write rows', async () => {
    const [row] = await store.sealedSecrets(database.db);
    const [key] = readSecretKeys(KEY);
    expect(key!.open(secretPlace(row!.tenantId, row!.name), row!)).toBeDefined();
    expect(key!.open(secretPlace(row!.tenantId, 'another'), row!)).toBeUndefined();
    const bent = { ...row!, sealed: Buffer.from(row!.sealed) };
    bent.sealed[0]! ^= 1;
    expect(key!.open(secretPlace(row!.tenantId, row!.name), bent)).toBeUndefined();
  });

  it('rotate moves every secret to the first key; what no key opens stays and is named', async () => {
    await run(['secrets', 'set', 'lost'], {
      stdin: 'x',
      env: { SIDEKICK_SECRET_KEY: randomBytes(32).toString('hex') },
    });
    const rotated = await run(['secrets', 'rotate'], { env: { SIDEKICK_SECRET_KEY: `${NEXT_KEY},${KEY}` } });
    expect([rotated.exitCode, rotated.out, rotated.err]).toEqual([
      1,
      expect.stringMatching(/^2 secrets are now encrypted with key/),
      expect.stringContaining('no key here opens lost'),
    ]);
    const found = secrets(NEXT_KEY);
    await found.load();
    expect(found.resolve('secret:carrier-password')).toBe(PASSWORD);
    const again = await run(['secrets', 'rotate'], { env: { SIDEKICK_SECRET_KEY: NEXT_KEY } });
    expect(again.out).toMatch(/^0 secrets/);
  });

  it('on a terminal the value is asked for without being shown', async () => {
    const set = await run(['secrets', 'set', 'typed'], { tty: true, answers: [PASSWORD] });
    expect([set.exitCode, set.err.includes(PASSWORD)]).toEqual([0, false]);
  });

  it('without a key, a name or a value nothing is kept', async () => {
    expect(await run(['secrets', 'set', 'x'], { stdin: 'v', env: { SIDEKICK_SECRET_KEY: '' } })).toMatchObject({
      exitCode: 5,
      err: expect.stringContaining('SK_SECRET_KEY'),
    });
    expect(await run(['secrets', 'set', 'x'], { stdin: '' })).toMatchObject({ exitCode: 2 });
    expect(await run(['secrets', 'set', 'no spaces'], { stdin: 'v' })).toMatchObject({ exitCode: 2 });
    const short = await run(['secrets', 'set', 'x'], { stdin: 'v', env: { SIDEKICK_SECRET_KEY: 'hunter2hunter2' } });
    expect([short.exitCode, short.err.includes('hunter2')]).toEqual([2, false]);
    expect(await run(['secrets', 'set', 'x', '--tenant', 'nobody'], { stdin: 'v' })).toMatchObject({ exitCode: 4 });
    expect((await json('secrets', 'list')).secrets.map((s: { name: string }) => s.name)).not.toContain('x');
  });

  it('delete says which trunks need it, and refuses without --yes', async () => {
    const refused = await run(['secrets', 'delete', 'carrier-password']);
    expect([refused.exitCode, refused.err]).toEqual([
      5,
      expect.stringContaining('trunk "carrier" takes its password from it'),
    ]);
    expect(await run(['secrets', 'delete', 'carrier-password', '--yes'])).toMatchObject({ exitCode: 0 });
    expect(await run(['secrets', 'delete', 'carrier-password', '--yes'])).toMatchObject({ exitCode: 4 });
    expect((await audit('secret')).at(-1)).toMatchObject({ what: 'remove', name: 'carrier-password', after: null });
  });

  it('settings show neither the keys nor the admin token', () => {
    const settings = readSettings({
      SIDEKICK_DATABASE_URL: 'postgres://a:b@h/d',
      SIDEKICK_DRACHTIO: 'h:1:s',
      SIDEKICK_FREESWITCH: '127.0.0.1:1:s',
      SIDEKICK_SECRET_KEY: KEY,
      SIDEKICK_ADMIN_TOKEN: 'hush-0123456789abcdef',
    });
    expect(settings.secretKeys).toHaveLength(1);
    for (const text of [JSON.stringify(settings), inspect(settings)]) {
      expect(text).not.toContain(KEY);
      expect(text).not.toContain('hush-');
    }
  });

  it('a user has a role and a place, and both can be changed', async () => {
    expect(
      await run(['users', 'create', 'anna@example.com', '--role', 'supervisor', '--queue', 'demo/support']),
    ).toMatchObject({
      exitCode: 0,
      out: 'anna@example.com is supervisor of demo/support\n',
    });
    expect(await run(['users', 'set', 'Anna@example.com', '--tenant', 'demo', '--tenant', 'other'])).toMatchObject({
      out: 'anna@example.com is supervisor of demo, other\n',
    });
    expect(await run(['users', 'set', 'anna@example.com', '--role', 'ops', '--everywhere', '--disable'])).toMatchObject(
      {
        out: 'anna@example.com is ops of everywhere, disabled\n',
      },
    );
    expect(await run(['users', 'set', 'anna@example.com', '--enable', '--display-name', 'Anna'])).toMatchObject({
      out: 'anna@example.com is ops of everywhere\n',
    });
    expect((await json('users', 'list')).users).toMatchObject([
      {
        name: 'anna@example.com',
        displayName: 'Anna',
        role: 'ops',
        everywhere: true,
        scopes: [],
        disabledAt: null,
        tokens: [],
      },
    ]);
    expect((await audit('user')).map(({ what, after }) => [what, after])).toMatchObject([
      ['create', { name: 'anna@example.com', role: 'supervisor' }],
      ['change', { role: 'ops', everywhere: true }],
      ['change', { disabled_at: null, display_name: 'Anna' }],
    ]);
  });

  it('a user without a role or a place, with a wrong one, or twice, is refused', async () => {
    const exit = async (...args: string[]) => (await run(['users', 'create', ...args])).exitCode;
    expect([
      await exit('ben', '--everywhere'),
      await exit('ben', '--role', 'viewer'),
      await exit('ben', '--role', 'boss', '--everywhere'),
      await exit('ben', '--role', 'viewer', '--tenant', 'nobody'),
      await exit('ben', '--role', 'viewer', '--queue', 'demo/nothing'),
      await exit('ben', '--role', 'viewer', '--queue', 'support'),
      await exit('ben', '--role', 'viewer', '--everywhere', '--tenant', 'demo'),
      await exit('b n', '--role', 'viewer', '--everywhere'),
      await exit('ANNA@example.com', '--role', 'viewer', '--everywhere'),
      await exit('ben', '--role', 'viewer', '--everywhere', '--entra-id', 'x'),
    ]).toEqual([2, 2, 2, 4, 4, 2, 2, 2, 5, 2]);
    expect((await json('users', 'list')).users).toHaveLength(1);
  });

  it('a token is shown once, kept as a digest, replaced by a new one and revoked', async () => {
    const first = (await run(['users', 'token', 'anna@example.com'])).out.trim();
    expect(isUserToken(first)).toBe(true);
    expect((await store.userByToken(database.db, tokenDigest(first)))?.name).toBe('anna@example.com');
    expect(await everything()).not.toContain(first);
    const second = (await run(['users', 'token', 'anna@example.com'])).out.trim();
    expect(await store.userByToken(database.db, tokenDigest(first))).toBeUndefined();
    expect((await store.userByToken(database.db, tokenDigest(second)))?.name).toBe('anna@example.com');
    expect(await run(['users', 'token', 'anna@example.com', '--revoke'])).toMatchObject({ exitCode: 0 });
    expect(await store.userByToken(database.db, tokenDigest(second))).toBeUndefined();
    expect(await run(['users', 'token', 'anna@example.com', '--revoke'])).toMatchObject({ exitCode: 4 });
    expect(await audit('user token')).toMatchObject([
      { what: 'create', name: 'anna@example.com default', after: { digest: '***' } },
      { what: 'change', before: { digest: '***' }, after: { digest: '***' } },
      { what: 'remove' },
    ]);
  });

  it('a token that is over is refused', async () => {
    const token = (await run(['users', 'token', 'anna@example.com', '--days', '0.01'])).out.trim();
    await database.db.query(
      `update user_tokens set created_at = created_at - interval '1 day', expires_at = expires_at - interval '1 day'`,
    );
    expect(await store.userByToken(database.db, tokenDigest(token))).toBeUndefined();
  });

  it('a deleted user takes the tokens along', async () => {
    const token = (await run(['users', 'token', 'anna@example.com'])).out.trim();
    expect(await run(['users', 'delete', 'anna@example.com'])).toMatchObject({ exitCode: 5 });
    expect(await run(['users', 'delete', 'anna@example.com', '--yes'])).toMatchObject({ exitCode: 0 });
    expect(await store.userByToken(database.db, tokenDigest(token))).toBeUndefined();
    expect(await run(['users', 'delete', 'Ana', '--yes'])).toMatchObject({ exitCode: 4 });
  });
});
