/**
 * Settings of a node, from command line options and the environment. Everything wrong is reported at once, each with what
 * is expected. Secrets are plain strings in memory and `***` wherever a settings object is printed, inspected or logged.
 */
import { hostname } from 'node:os';
import { inspect } from 'node:util';
import { SidekickError } from '../lib/errors';
import { readSecretKeySettings, readSignIn } from './access-settings';
import type { SignInSettings } from './access-settings';
import type * as GraphSettingsFile from './graph-settings';
import type { GraphSettings, GraphTenantSettings } from './graph-settings';
import type { SecretKey } from './secrets/secret-box';
import { FOREIGN_SETTINGS, SETTINGS } from './settings-table';
import * as parse from './settings-values';
import type { HostPort, HostPortSecret } from './settings-values';

export type { SignInSettings } from './access-settings';
export type { GraphSettings, GraphTenantSettings } from './graph-settings';
export type { HostPort, HostPortSecret } from './settings-values';
export { SETTINGS } from './settings-table';

export type SettingName = (typeof SETTINGS)[number]['name'];
export type LogLevel = (typeof parse.LOG_LEVELS)[number];

export interface Settings {
  readonly nodeId: string;
  readonly databaseUrl: string;
  readonly databasePool: number;
  readonly drachtio: readonly HostPortSecret[];
  readonly freeswitch: readonly HostPortSecret[];
  readonly eslListen: HostPort;
  /** What FreeSWITCH is told to connect to; undefined = the address that was bound. */
  readonly eslAdvertise?: HostPort;
  /** undefined = no HTTP server. */
  readonly http: HostPort | undefined;
  readonly adminToken?: string;
  /** Users of the API who sign in at Entra; undefined = none do. */
  readonly signIn?: SignInSettings;
  /** Open the secrets of the database; the first also encrypts. */
  readonly secretKeys: readonly SecretKey[];
  /** For tenants that have no registration of their own; undefined = their presence is not read. */
  readonly graph?: GraphSettings;
  /** Registrations of single tenants. */
  readonly graphTenants: readonly GraphTenantSettings[];
  /** Where Microsoft reaches this installation; https, without a trailing slash. */
  readonly publicUrl?: string;
  readonly presencePollMs: number;
  readonly presencePollWaitingMs: number;
  readonly presencePollAwayMs: number;
  readonly promptsDir?: string;
  /** Where this machine has what the media servers record; undefined: where they say. */
  readonly recordingsDir?: string;
  readonly drainMs: number;
  readonly keepDecisionsMs: number;
  readonly logLevel: LogLevel;
  /** Things that are not wrong but not meant either, such as an unknown SIDEKICK_ name; to be logged at start. */
  readonly warnings: readonly string[];
}

export type SettingValues = Readonly<Record<string, string | undefined>>;

/**
 * Reads all settings of a node. `flags` (from the command line or from embedded parts) win over `env`.
 * @throws SidekickError SK_SETTINGS_INVALID naming every setting that is missing or wrong.
 */
export function readSettings(env: SettingValues, flags: SettingValues = {}): Settings {
  const read = new SettingsReader(env, flags);
  const freeswitch = read.required('SIDEKICK_FREESWITCH', parse.servers) ?? [];
  // What reads YAML takes its time to load, and most who read settings want the address of the database only.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { readGraph, readGraphTenants } = require('./graph-settings') as typeof GraphSettingsFile;
  const graph = readGraph(read);
  const publicUrl = read.optional('SIDEKICK_PUBLIC_URL', parse.serviceUrl);
  const eslAdvertise = read.optional('SIDEKICK_ESL_ADVERTISE', parse.hostPort);
  const adminToken = read.optional('SIDEKICK_ADMIN_TOKEN', parse.adminToken);
  const signIn = readSignIn(read);
  const promptsDir = read.optional('SIDEKICK_PROMPTS', parse.directory);
  const recordingsDir = read.optional('SIDEKICK_RECORDINGS_DIR', parse.directory);
  const settings: Settings = {
    nodeId: read.withDefault('SIDEKICK_NODE_ID', parse.nodeId, defaultNodeId()),
    databaseUrl: read.required('SIDEKICK_DATABASE_URL', parse.databaseUrl) ?? '',
    databasePool: read.withDefault('SIDEKICK_DATABASE_POOL', parse.integer(2, 200), 12),
    drachtio: read.required('SIDEKICK_DRACHTIO', parse.servers) ?? [],
    freeswitch,
    eslListen: readEslListen(read, freeswitch),
    ...(eslAdvertise === undefined ? {} : { eslAdvertise }),
    http: read.withDefault('SIDEKICK_HTTP', parse.hostPortOrOff, { host: '127.0.0.1', port: 8080 }),
    ...(adminToken === undefined ? {} : { adminToken }),
    ...(signIn === undefined ? {} : { signIn }),
    secretKeys: readSecretKeySettings(read),
    ...(graph === undefined ? {} : { graph }),
    graphTenants: readGraphTenants(read, env),
    ...(publicUrl === undefined ? {} : { publicUrl }),
    presencePollMs: 1000 * read.withDefault('SIDEKICK_PRESENCE_POLL_SECONDS', parse.number(1, 300), 10),
    presencePollWaitingMs: 1000 * read.withDefault('SIDEKICK_PRESENCE_POLL_WAITING_SECONDS', parse.number(1, 300), 2),
    presencePollAwayMs: 1000 * read.withDefault('SIDEKICK_PRESENCE_POLL_AWAY_SECONDS', parse.number(1, 600), 60),
    ...(promptsDir === undefined ? {} : { promptsDir }),
    ...(recordingsDir === undefined ? {} : { recordingsDir }),
    drainMs: 1000 * read.withDefault('SIDEKICK_DRAIN_SECONDS', parse.number(0, 86_400), 30),
    keepDecisionsMs: 86_400_000 * read.withDefault('SIDEKICK_KEEP_DECISIONS_DAYS', parse.number(0.1, 3650), 14),
    logLevel: read.withDefault('SIDEKICK_LOG_LEVEL', parse.logLevel, 'info'),
    warnings: unknownNames(env),
  };
  read.throwIfWrong();
  return conceal(settings);
}

/**
 * Only the database URL, for commands that need nothing else.
 * @throws SidekickError SK_SETTINGS_INVALID
 */
export function readDatabaseUrl(env: SettingValues, flags: SettingValues = {}): string {
  const read = new SettingsReader(env, flags);
  const url = read.required('SIDEKICK_DATABASE_URL', parse.databaseUrl) ?? '';
  read.throwIfWrong();
  return url;
}

/** Only the keys of secrets, as readDatabaseUrl. */
export function readSecretKeysOf(env: SettingValues): readonly SecretKey[] {
  const read = new SettingsReader(env, {});
  const keys = readSecretKeySettings(read);
  read.throwIfWrong();
  return keys;
}

export class SettingsReader {
  readonly #values: SettingValues;
  readonly #problems: { readonly name: SettingName; readonly text: string }[] = [];

  constructor(env: SettingValues, flags: SettingValues) {
    const given = Object.entries(flags).filter(([, value]) => value !== undefined && value !== '');
    this.#values = { ...env, ...Object.fromEntries(given) };
  }

  /** An empty value counts as not set: compose files and CI write variables that way. */
  optional<T>(name: SettingName, parser: (text: string) => T): T | undefined {
    const text = this.#values[name]?.trim();
    if (text === undefined || text === '') {
      return undefined;
    }
    try {
      return parser(text);
    } catch (error) {
      this.problem(name, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  required<T>(name: SettingName, parser: (text: string) => T): T | undefined {
    if (!this.#values[name]?.trim()) {
      const example = SETTINGS.find((s) => s.name === name)?.example ?? '';
      this.problem(name, `is not set; for example ${example}`);
      return undefined;
    }
    return this.optional(name, parser);
  }

  withDefault<T>(name: SettingName, parser: (text: string) => T, dflt: T): T {
    const known = this.#problems.length;
    const value = this.optional(name, parser);
    // `off` parses to undefined and is not the default.
    return value === undefined && !this.isSet(name) ? dflt : this.#problems.length > known ? dflt : (value as T);
  }

  problem(name: SettingName, text: string): void {
    this.#problems.push({ name, text });
  }

  throwIfWrong(): void {
    if (this.#problems.length === 0) {
      return;
    }
    const few = this.#problems.length === 1;
    throw new SidekickError('SK_SETTINGS_INVALID', few ? 'a setting is not usable' : 'some settings are not usable', {
      why: [...this.#problems]
        .sort((a, b) => place(a.name) - place(b.name))
        .map(({ name, text }) => `${name} ${text}`)
        .join('; '),
      next: 'set it in the environment and start again; docs/settings.md lists every setting',
    });
  }

  isSet(name: SettingName): boolean {
    return (this.#values[name]?.trim() ?? '') !== '';
  }
}

/** Where a setting stands in the table: problems are told in that order. */
function place(name: SettingName): number {
  return SETTINGS.findIndex((s) => s.name === name);
}

function readEslListen(read: SettingsReader, freeswitch: readonly HostPortSecret[]): HostPort {
  const loopback = { host: '127.0.0.1', port: 0 };
  const listen = read.optional('SIDEKICK_ESL_LISTEN', parse.hostPortAny);
  if (listen === undefined && freeswitch.some((server) => !parse.isLoopback(server.host))) {
    read.problem(
      'SIDEKICK_ESL_LISTEN',
      'is not set, but a FreeSWITCH on another machine must be able to connect back to this node',
    );
  }
  return listen ?? loopback;
}

function defaultNodeId(): string {
  return (
    hostname()
      .replace(/[^A-Za-z0-9._-]/g, '-')
      .slice(0, 64) || 'node'
  );
}

function unknownNames(env: SettingValues): string[] {
  const known = new Set<string>([...SETTINGS.map((s) => s.name), ...FOREIGN_SETTINGS]);
  return Object.keys(env)
    .filter((name) => name.startsWith('SIDEKICK_') && !known.has(name) && !name.startsWith('SIDEKICK_TEST_'))
    .sort()
    .map((name) => `${name} is not a setting of sidekick and has no effect`);
}

const SECRET_KEYS = new Set(['secret', 'clientSecret', 'adminToken', 'databaseUrl']);

/** Gives an object, and the objects in it, a JSON and text form in which secrets read `***`. */
function conceal<T extends object>(value: T): T {
  const shown = (): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(value).map(([key, v]) => [key, SECRET_KEYS.has(key) && v !== undefined ? masked(key, v) : v]),
    );
  const hidden = (fn: () => unknown): PropertyDescriptor => ({ value: fn, enumerable: false });
  Object.defineProperty(value, 'toJSON', hidden(shown));
  Object.defineProperty(
    value,
    'toString',
    hidden(() => JSON.stringify(shown())),
  );
  Object.defineProperty(value, inspect.custom, hidden(shown));
  for (const child of Object.values(value)) {
    if (Array.isArray(child)) {
      child.filter((c): c is object => typeof c === 'object' && c !== null).forEach(conceal);
    } else if (typeof child === 'object' && child !== null) {
      conceal(child as object);
    }
  }
  return value;
}

function masked(key: string, value: unknown): string {
  if (key !== 'databaseUrl' || typeof value !== 'string') {
    return '***';
  }
  return parse.maskUrl(value);
}
