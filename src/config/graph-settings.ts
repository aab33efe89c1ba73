/**
 * App registrations at Entra by which presence is read: one from the environment, for every tenant that has none of its own,
 * and any number from a YAML file that SIDEKICK_GRAPH_TENANTS names. docs/presence.md describes the file.
 */
import { readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { describeError } from '../lib/errors';
import { GRAPH_CLOUDS, isGraphCloud } from './graph-clouds';
import type { GraphCloudName } from './graph-clouds';
import * as parse from './settings-values';
import type { SettingName, SettingsReader } from './settings';

/** Change notifications of one registration. */
export interface NotificationSettings {
  /** PEM file with one or more private keys and their certificates; the first encrypts what Graph sends. */
  readonly keyFile: string;
  /** Files that each hold the refresh token of one signed-in account; an account covers 650 agents. */
  readonly accounts: readonly string[];
}

export interface GraphSettings {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  /** Path of a PEM file with private key and certificate. */
  readonly certificate?: string;
  /** Path of a file with a federated credential: a signed assertion that another service keeps fresh. */
  readonly assertionFile?: string;
  readonly cloud: GraphCloudName;
  /** Without a trailing slash. */
  readonly baseUrl: string;
  /** Without the tenant and without a trailing slash. */
  readonly authority: string;
  /** Teams shows agents as busy while they are in a call elsewhere or in wrap-up. */
  readonly writeBack: boolean;
  readonly notifications?: NotificationSettings;
}

/** A registration for one tenant of the configuration document. */
export interface GraphTenantSettings extends GraphSettings {
  /** Name of the tenant in the configuration document. */
  readonly tenant: string;
}

/** The registration from the environment; undefined where none of its settings is there. Problems go to `read`. */
export function readGraph(read: SettingsReader): GraphSettings | undefined {
  const tenantId = read.optional('SIDEKICK_GRAPH_TENANT_ID', parse.tenant);
  const clientId = read.optional('SIDEKICK_GRAPH_CLIENT_ID', parse.plainText);
  const clientSecret = read.optional('SIDEKICK_GRAPH_CLIENT_SECRET', parse.plainText);
  const certificate = read.optional('SIDEKICK_GRAPH_CLIENT_CERTIFICATE', parse.readableFile);
  const assertionFile = read.optional('SIDEKICK_GRAPH_CLIENT_ASSERTION', parse.readableFile);
  const cloud = read.withDefault('SIDEKICK_GRAPH_CLOUD', parse.cloud, 'global');
  const baseUrl = read.withDefault('SIDEKICK_GRAPH_BASE_URL', parse.serviceUrl, GRAPH_CLOUDS[cloud].baseUrl);
  const authority = read.withDefault('SIDEKICK_GRAPH_AUTHORITY', parse.serviceUrl, GRAPH_CLOUDS[cloud].authority);
  const writeBack = read.withDefault('SIDEKICK_GRAPH_WRITE_BACK', parse.onOff, false);
  const keyFile = read.optional('SIDEKICK_GRAPH_NOTIFICATION_KEY', parse.readableFile);
  const accounts = read.withDefault('SIDEKICK_GRAPH_ACCOUNTS', parse.readableFiles, []);
  if ([tenantId, clientId, clientSecret, certificate, assertionFile].every((value) => value === undefined)) {
    return undefined;
  }
  if (tenantId === undefined) {
    read.problem('SIDEKICK_GRAPH_TENANT_ID', 'is not set, although other SIDEKICK_GRAPH_ settings are');
  }
  if (clientId === undefined) {
    read.problem('SIDEKICK_GRAPH_CLIENT_ID', 'is not set, although other SIDEKICK_GRAPH_ settings are');
  }
  checkCredential(read);
  checkNotifications(read, cloud);
  return {
    tenantId: tenantId ?? '',
    clientId: clientId ?? '',
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(assertionFile === undefined ? {} : { assertionFile }),
    cloud,
    baseUrl,
    authority,
    writeBack,
    ...(keyFile === undefined ? {} : { notifications: { keyFile, accounts } }),
  };
}

const CREDENTIALS = [
  'SIDEKICK_GRAPH_CLIENT_SECRET',
  'SIDEKICK_GRAPH_CLIENT_CERTIFICATE',
  'SIDEKICK_GRAPH_CLIENT_ASSERTION',
] as const satisfies readonly SettingName[];

function checkCredential(read: SettingsReader): void {
  const given = CREDENTIALS.filter((name) => read.isSet(name));
  if (given.length === 0) {
    read.problem(
      'SIDEKICK_GRAPH_CLIENT_SECRET',
      'or SIDEKICK_GRAPH_CLIENT_CERTIFICATE or SIDEKICK_GRAPH_CLIENT_ASSERTION is needed to sign in to Graph',
    );
  }
  const [first, ...others] = given;
  if (first !== undefined && others.length > 0) {
    read.problem(first, `and ${others.join(' and ')} are ${others.length > 1 ? 'all' : 'both'} set; keep one`);
  }
}

function checkNotifications(read: SettingsReader, cloud: GraphCloudName): void {
  const [key, accounts] = ['SIDEKICK_GRAPH_NOTIFICATION_KEY', 'SIDEKICK_GRAPH_ACCOUNTS'] as const;
  if (read.isSet(key) !== read.isSet(accounts)) {
    const [missing, there] = read.isSet(key) ? [accounts, key] : [key, accounts];
    read.problem(missing, `is not set, although ${there} is: change notifications need both`);
  }
  if (read.isSet(key) && !GRAPH_CLOUDS[cloud].notifications) {
    read.problem(key, `is set, but Graph sends no presence notifications in the cloud ${cloud}`);
  }
  if (read.isSet(key) && !read.isSet('SIDEKICK_PUBLIC_URL')) {
    read.problem('SIDEKICK_PUBLIC_URL', 'is not set, but Graph must be told where to send its notifications');
  }
}

const ENV_NAME = /^[A-Z][A-Z0-9_]*$/;
const file = z.string().min(1).max(1000);
const registrationSchema = z
  .strictObject({
    tenant: z.string().min(1).max(63),
    tenantId: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/, 'must be a tenant id (GUID) or a domain'),
    clientId: z.string().min(1).max(100),
    clientSecretFrom: z.string().regex(ENV_NAME, 'must name an environment variable').optional(),
    certificate: file.optional(),
    clientAssertion: file.optional(),
    cloud: z
      .string()
      .refine(isGraphCloud, `must be one of ${Object.keys(GRAPH_CLOUDS).join(', ')}`)
      .default('global'),
    baseUrl: z.string().optional(),
    authority: z.string().optional(),
    writeBack: z.boolean().default(false),
    notifications: z.strictObject({ key: file, accounts: z.array(file).min(1) }).optional(),
  })
  .refine(
    ({ clientSecretFrom, certificate, clientAssertion }) =>
      [clientSecretFrom, certificate, clientAssertion].filter((value) => value !== undefined).length === 1,
    'needs exactly one of clientSecretFrom, certificate, clientAssertion',
  );
const fileSchema = z.strictObject({ tenants: z.array(registrationSchema).max(1000) });

type Registration = z.output<typeof registrationSchema>;

/** The registrations of the file that SIDEKICK_GRAPH_TENANTS names. Problems go to `read`. */
export function readGraphTenants(
  read: SettingsReader,
  env: Readonly<Record<string, string | undefined>>,
): GraphTenantSettings[] {
  const name = 'SIDEKICK_GRAPH_TENANTS';
  const path = read.optional(name, parse.readableFile);
  if (path === undefined) {
    return [];
  }
  let content: unknown;
  try {
    content = parseYaml(readFileSync(path, 'utf8'));
  } catch (error) {
    // The first line only: what follows quotes the file.
    read.problem(name, `names ${path}, which is not YAML: ${describeError(error).split('\n')[0] ?? ''}`);
    return [];
  }
  const parsed = fileSchema.safeParse(content);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`);
    read.problem(name, `names ${path}, which cannot be used: ${issues.join('; ')}`);
    return [];
  }
  const names = parsed.data.tenants.map((registration) => registration.tenant);
  const twice = names.find((tenant, index) => names.indexOf(tenant) !== index);
  if (twice !== undefined) {
    read.problem(name, `names ${path}, which has the tenant ${twice} twice`);
  }
  return parsed.data.tenants.flatMap((registration) => {
    try {
      return [settingsOf(registration, env, read.isSet('SIDEKICK_PUBLIC_URL'))];
    } catch (error) {
      read.problem(name, `names ${path}: tenant ${registration.tenant} ${describeError(error)}`);
      return [];
    }
  });
}

function settingsOf(
  given: Registration,
  env: Readonly<Record<string, string | undefined>>,
  publicUrl: boolean,
): GraphTenantSettings {
  const { cloud } = given;
  const { notifications } = given;
  const clientSecret = given.clientSecretFrom === undefined ? undefined : env[given.clientSecretFrom]?.trim();
  if (given.clientSecretFrom !== undefined && !clientSecret) {
    throw new Error(`takes its secret from ${given.clientSecretFrom}, which is not set`);
  }
  if (notifications && !GRAPH_CLOUDS[cloud].notifications) {
    throw new Error(`asks for notifications, which Graph does not send in the cloud ${cloud}`);
  }
  if (notifications && !publicUrl) {
    throw new Error('asks for notifications, but SIDEKICK_PUBLIC_URL is not set');
  }
  return {
    tenant: given.tenant,
    tenantId: given.tenantId,
    clientId: given.clientId,
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(given.certificate === undefined ? {} : { certificate: parse.readableFile(given.certificate) }),
    ...(given.clientAssertion === undefined ? {} : { assertionFile: parse.readableFile(given.clientAssertion) }),
    cloud,
    baseUrl: parse.serviceUrl(given.baseUrl ?? GRAPH_CLOUDS[cloud].baseUrl),
    authority: parse.serviceUrl(given.authority ?? GRAPH_CLOUDS[cloud].authority),
    writeBack: given.writeBack,
    ...(notifications === undefined
      ? {}
      : {
          notifications: {
            keyFile: parse.readableFile(notifications.key),
            accounts: notifications.accounts.map(parse.readableFile),
          },
        }),
  };
}
