import { didYouMean } from '../../config/documents/did-you-mean';
import { isRole, ROLES } from '../../config/roles';
import type { Role } from '../../config/roles';
import { newUserToken, tokenDigest } from '../../config/user-tokens';
import { SidekickError } from '../../lib/errors';
import { store } from '../../store';
import type { Database } from '../../store';
import type { NewUser, UserRow, UserScope } from '../../store/types';
import { actingAs } from '../acting-as';
import { confirm, count } from '../confirm';
import { say } from '../context';
import type { CommonOptions, Context, ListOptions } from '../context';
import { withDatabase } from '../database';
import { line } from '../io';
import type { ListView } from '../output/list';
import { isoTime } from '../output/list';
import { showList } from '../output/show-list';

export interface UserOptions extends CommonOptions {
  readonly role?: string;
  readonly everywhere?: boolean;
  readonly tenant?: readonly string[];
  readonly queue?: readonly string[];
  readonly displayName?: string;
  readonly entraId?: string;
  readonly disable?: boolean;
  readonly enable?: boolean;
}

export interface DeleteUserOptions extends CommonOptions {
  readonly yes?: boolean;
}

export interface TokenOptions extends CommonOptions {
  readonly name: string;
  readonly days: number;
  readonly revoke?: boolean;
}

const DAY_MS = 86_400_000;

const VIEW: ListView<UserRow> = {
  noun: 'users',
  columns: [
    { title: 'name', text: (u) => u.name },
    { title: 'role', text: (u) => u.role },
    { title: 'where', text: where },
    { title: 'state', text: (u) => (u.disabledAt === undefined ? 'active' : 'disabled') },
    { title: 'tokens', text: (u) => u.tokens.map((token) => token.name).join(', ') },
    { title: 'display name', text: (u) => u.displayName, wide: true },
    { title: 'entra id', text: (u) => u.entraUserId ?? '', wide: true },
  ],
  name: (u) => u.name,
  json: (u) => ({
    name: u.name,
    displayName: u.displayName,
    role: u.role,
    everywhere: u.everywhere,
    scopes: u.scopes,
    entraUserId: u.entraUserId ?? null,
    disabledAt: u.disabledAt === undefined ? null : isoTime(u.disabledAt),
    tokens: u.tokens.map((token) => ({
      name: token.name,
      createdAt: isoTime(token.createdAt),
      expiresAt: isoTime(token.expiresAt),
      usedAt: token.usedAt === undefined ? null : isoTime(token.usedAt),
    })),
  }),
  empty: 'no users; `sidekick users create NAME --role viewer --everywhere` makes one',
};

function where(user: Pick<UserRow, 'everywhere' | 'scopes'>): string {
  const scopes = user.scopes.map(({ tenant, queue }) => (queue === undefined ? tenant : `${tenant}/${queue}`));
  return user.everywhere ? 'everywhere' : scopes.join(', ') || 'nowhere';
}

export function listUsers(context: Context, options: ListOptions): Promise<number> {
  return showList(
    context,
    options,
    () => VIEW,
    (db) => store.listUsers(db),
  );
}

/** @throws SidekickError SK_USAGE, SK_CONFLICT, SK_NOT_FOUND */
export async function createUser(context: Context, name: string, options: UserOptions): Promise<number> {
  const scopes = scopesOf(options);
  if (options.role === undefined || (options.everywhere !== true && scopes === undefined)) {
    throw new SidekickError('SK_USAGE', 'a user needs a role and a place', {
      why: options.role === undefined ? '--role is missing' : 'neither --everywhere nor --tenant nor --queue is given',
      next: `write \`sidekick users create ${name} --role viewer --tenant demo\``,
    });
  }
  const user: NewUser = {
    name,
    displayName: options.displayName ?? '',
    role: roleOf(options.role),
    everywhere: options.everywhere ?? false,
    scopes: scopes ?? [],
    entraUserId: entraIdOf(options),
  };
  return withDatabase(context, options, async (db) => {
    await actingAs(db, (tx) => store.createUser(tx, user));
    line(context.io.stdout, `${name} is ${user.role} of ${where(user)}`);
    say(context, `\`sidekick users token ${name}\` makes a token for the API`);
    return 0;
  });
}

/** Changes what is given and leaves the rest. @throws SidekickError SK_USAGE, SK_CONFLICT, SK_NOT_FOUND */
export async function changeUser(context: Context, name: string, options: UserOptions): Promise<number> {
  if (options.disable === true && options.enable === true) {
    throw new SidekickError('SK_USAGE', 'a user is disabled or enabled, not both', { next: 'leave one of them away' });
  }
  const scopes = scopesOf(options);
  return withDatabase(context, options, async (db) => {
    const before = await findUser(db, name);
    const user = {
      name: before.name,
      displayName: options.displayName ?? before.displayName,
      role: options.role === undefined ? before.role : roleOf(options.role),
      // Naming a place means that place alone.
      everywhere: options.everywhere ?? (scopes === undefined ? before.everywhere : false),
      scopes: options.everywhere === true ? [] : (scopes ?? before.scopes),
      entraUserId: entraIdOf(options) ?? before.entraUserId,
      disabled: options.disable ?? (options.enable === true ? false : before.disabledAt !== undefined),
    };
    await actingAs(db, (tx) => store.updateUser(tx, before.id, user));
    line(context.io.stdout, `${user.name} is ${user.role} of ${where(user)}${user.disabled ? ', disabled' : ''}`);
    return 0;
  });
}

/** @throws SidekickError SK_NOT_FOUND, SK_NOT_CONFIRMED */
export async function deleteUser(context: Context, name: string, options: DeleteUserOptions): Promise<number> {
  return withDatabase(context, options, async (db) => {
    const user = await findUser(db, name);
    const touches =
      user.tokens.length === 0 ? [] : [`${count(user.tokens.length, 'token')} of ${user.name} will be refused`];
    await confirm(context, { action: `delete user ${user.name}`, touches, yes: options.yes });
    await actingAs(db, (tx) => store.deleteUser(tx, user.id));
    line(context.io.stdout, `${user.name} is deleted`);
    return 0;
  });
}

/** Makes or revokes a token. It is shown this once. @throws SidekickError SK_NOT_FOUND */
export async function userToken(context: Context, name: string, options: TokenOptions): Promise<number> {
  return withDatabase(context, options, async (db) => {
    const user = await findUser(db, name);
    if (options.revoke === true) {
      if (!(await actingAs(db, (tx) => store.deleteUserToken(tx, user.id, options.name)))) {
        throw new SidekickError('SK_NOT_FOUND', `${user.name} has no token ${options.name}`, {
          next: '`sidekick users list` shows the names',
        });
      }
      line(context.io.stdout, `the token ${options.name} of ${user.name} is refused from now on`);
      return 0;
    }
    const token = newUserToken();
    const { expiresAt } = await actingAs(db, (tx, by) =>
      store.addUserToken(tx, {
        userId: user.id,
        name: options.name,
        digest: tokenDigest(token),
        forMs: options.days * DAY_MS,
        by,
      }),
    );
    line(context.io.stdout, token);
    say(context, `it is shown this once; it ends on ${isoTime(expiresAt).slice(0, 10)}`);
    return 0;
  });
}

async function findUser(db: Database, name: string): Promise<UserRow> {
  const user = await store.userByName(db, name);
  if (user === undefined) {
    const meant = didYouMean(
      name,
      (await store.listUsers(db)).map((one) => one.name),
    );
    throw new SidekickError('SK_NOT_FOUND', `there is no user ${name}`, {
      next: meant === undefined ? '`sidekick users list` shows the names' : `did you mean ${meant}?`,
    });
  }
  return user;
}

function roleOf(text: string): Role {
  if (!isRole(text)) {
    const meant = didYouMean(text, ROLES);
    throw new SidekickError('SK_USAGE', `there is no role "${text}"`, {
      why: `the roles are ${ROLES.join(', ')}`,
      ...(meant === undefined ? {} : { next: `did you mean ${meant}?` }),
    });
  }
  return text;
}

/** undefined: no place is named. */
function scopesOf({ everywhere, tenant = [], queue = [] }: UserOptions): readonly UserScope[] | undefined {
  const scopes = [
    ...tenant.map((name): UserScope => ({ tenant: name })),
    ...queue.map((text): UserScope => {
      const [tenantName = '', queueName = '', ...rest] = text.split('/');
      if (tenantName === '' || queueName === '' || rest.length > 0) {
        throw new SidekickError('SK_USAGE', `"${text}" names no queue`, { next: 'write --queue TENANT/QUEUE' });
      }
      return { tenant: tenantName, queue: queueName };
    }),
  ];
  if (everywhere === true && scopes.length > 0) {
    throw new SidekickError('SK_USAGE', '--everywhere and single places are both given', { next: 'leave one away' });
  }
  return scopes.length === 0 ? undefined : scopes;
}

function entraIdOf({ entraId }: UserOptions): string | undefined {
  if (entraId !== undefined && !/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(entraId)) {
    throw new SidekickError('SK_USAGE', `"${entraId}" is no object id of Entra`, {
      next: 'copy the Object ID of the user from the Entra admin center',
    });
  }
  return entraId;
}
