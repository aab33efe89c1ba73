import { readSecretKeysOf } from '../../config/settings';
import { openWith, secretPlace } from '../../config/secrets/secret-box';
import type { SecretKey } from '../../config/secrets/secret-box';
import { SidekickError } from '../../lib/errors';
import { store } from '../../store';
import type { Queryable, SecretRow } from '../../store/types';
import { actingAs } from '../acting-as';
import { confirm } from '../confirm';
import { say } from '../context';
import type { CommonOptions, Context, ListOptions } from '../context';
import { withDatabase } from '../database';
import { line } from '../io';
import type { ListView } from '../output/list';
import { isoTime, shortDuration } from '../output/list';
import { showList } from '../output/show-list';

export interface SecretOptions extends CommonOptions {
  readonly tenant?: string;
  readonly yes?: boolean;
}

const MOST_CHARACTERS = 8192;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

function view(keys: readonly SecretKey[], now: number): ListView<SecretRow> {
  return {
    noun: 'secrets',
    columns: [
      { title: 'name', text: (s) => s.name },
      { title: 'tenant', text: (s) => s.tenant ?? 'all' },
      { title: 'value', text: () => '***' },
      { title: 'key', text: (s) => `${s.keyId} (${keyState(keys, s.keyId)})` },
      { title: 'set', text: (s) => `${shortDuration(now - s.updatedAt)} ago`, plain: (s) => isoTime(s.updatedAt) },
      { title: 'by', text: (s) => s.updatedBy },
    ],
    name: (s) => s.name,
    json: (s) => ({
      name: s.name,
      tenant: s.tenant ?? null,
      value: '***',
      keyId: s.keyId,
      key: keyState(keys, s.keyId),
      updatedAt: isoTime(s.updatedAt),
      updatedBy: s.updatedBy,
    }),
    empty: 'no secrets; `sidekick secrets set NAME` keeps one',
  };
}

function keyState(keys: readonly SecretKey[], keyId: string): 'current' | 'old' | 'not here' {
  const index = keys.findIndex((key) => key.id === keyId);
  return index === 0 ? 'current' : index > 0 ? 'old' : 'not here';
}

/** Names and keys, never values. */
export function listSecrets(context: Context, options: ListOptions): Promise<number> {
  const keys = readSecretKeysOf(context.io.env);
  return showList(
    context,
    options,
    (now) => view(keys, now),
    (db) => store.listSecrets(db),
  );
}

/**
 * The value comes from standard input, or is asked for on a terminal without being shown; never from the command line, which
 * other users of the machine can see.
 * @throws SidekickError SK_USAGE, SK_SECRET_KEY, SK_NOT_FOUND
 */
export async function setSecret(context: Context, name: string, options: SecretOptions): Promise<number> {
  if (!NAME.test(name)) {
    throw new SidekickError('SK_USAGE', `"${name}" cannot be the name of a secret`, {
      why: 'a name starts with a letter or a digit and holds letters, digits, dots, dashes and underscores, at most 63',
      next: 'choose another name, such as carrier-password',
    });
  }
  const [key] = keysOf(context);
  const value = await readValue(context, name);
  return withDatabase(context, options, async (db) => {
    await actingAs(db, async (tx, by) => {
      const tenantId = await tenantIdOf(tx, options.tenant);
      const sealed = key.seal(secretPlace(tenantId, name), value);
      await store.saveSecret(tx, { tenantId, name, sealed, by });
    });
    line(context.io.stdout, `${name} is kept, encrypted with key ${key.id}`);
    say(context, `a trunk takes it by passwordFrom: secret:${name}; running nodes know it now`);
    return 0;
  });
}

/** @throws SidekickError SK_NOT_FOUND, SK_NOT_CONFIRMED */
export async function deleteSecret(context: Context, name: string, options: SecretOptions): Promise<number> {
  return withDatabase(context, options, async (db) => {
    const users = (await store.loadTrunks(db)).filter((trunk) =>
      JSON.stringify(trunk.settings).includes(`"secret:${name}"`),
    );
    await confirm(context, {
      action: `delete secret ${name}`,
      touches: users.map((trunk) => `trunk "${trunk.name}" takes its password from it`),
      yes: options.yes,
    });
    if (!(await actingAs(db, (tx) => store.deleteSecret(tx, options.tenant, name)))) {
      throw new SidekickError('SK_NOT_FOUND', `there is no secret ${name}`, {
        why: options.tenant === undefined ? 'none that all tenants share' : `none of the tenant ${options.tenant}`,
        next: '`sidekick secrets list` shows the names and their tenants',
      });
    }
    line(context.io.stdout, `${name} is deleted`);
    return 0;
  });
}

/** Encrypts every secret with the first key. Exit code 1: some are open to none of the keys here and stay as they are. */
export async function rotateSecrets(context: Context, options: CommonOptions): Promise<number> {
  const keys = keysOf(context);
  const [first] = keys;
  return withDatabase(context, options, async (db) => {
    const { closed, moved } = await actingAs(db, async (tx, by) => {
      const rows = await store.sealedSecrets(tx);
      const closed: string[] = [];
      let moved = 0;
      for (const row of rows.filter(({ keyId }) => keyId !== first.id)) {
        const place = secretPlace(row.tenantId, row.name);
        const value = openWith(keys, place, row);
        if (value === undefined) {
          closed.push(row.name);
          continue;
        }
        await store.saveSecret(tx, { tenantId: row.tenantId, name: row.name, sealed: first.seal(place, value), by });
        moved++;
      }
      return { closed, moved };
    });
    line(context.io.stdout, `${moved} secrets are now encrypted with key ${first.id}`);
    if (closed.length > 0) {
      line(context.io.stderr, `no key here opens ${closed.join(', ')}: set them again, or add their key`);
      return 1;
    }
    return 0;
  });
}

function keysOf({ io }: Context): readonly [SecretKey, ...SecretKey[]] {
  const [first, ...others] = readSecretKeysOf(io.env);
  if (first === undefined) {
    throw new SidekickError('SK_SECRET_KEY', 'there is no key to encrypt secrets with', {
      why: 'neither SIDEKICK_SECRET_KEY nor SIDEKICK_SECRET_KEY_FILE is set',
      next: 'make one with `openssl rand -base64 32` and give it to this command and to every node',
    });
  }
  return [first, ...others];
}

async function readValue({ io }: Context, name: string): Promise<string> {
  const text = io.stdin.isTTY === true ? await io.askSecret(`value of ${name}: `) : await io.readStdin();
  const value = text.replace(/\r?\n$/, '');
  if (value === '' || value.length > MOST_CHARACTERS) {
    throw new SidekickError('SK_USAGE', value === '' ? 'there is no value' : 'the value is too long', {
      why: value === '' ? 'standard input was empty' : `at most ${MOST_CHARACTERS} characters are kept`,
      next: `write \`printf %s "$PASSWORD" | sidekick secrets set ${name}\`, or run it on a terminal to be asked`,
    });
  }
  return value;
}

async function tenantIdOf(tx: Queryable, tenant: string | undefined): Promise<string | undefined> {
  if (tenant === undefined) {
    return undefined;
  }
  const found = (await store.loadTenants(tx)).find(({ name }) => name === tenant);
  if (found === undefined) {
    throw new SidekickError('SK_NOT_FOUND', `there is no tenant ${tenant}`, {
      next: 'see the tenants of your document',
    });
  }
  return found.id;
}
