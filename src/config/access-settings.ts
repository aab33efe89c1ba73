/** Settings of who may do what: keys that secrets are encrypted with, and sign-in at Entra for the API. */
import { readFileSync } from 'node:fs';
import { GRAPH_CLOUDS } from './graph-clouds';
import { readSecretKeys } from './secrets/secret-box';
import type { SecretKey } from './secrets/secret-box';
import * as parse from './settings-values';
import type { SettingsReader } from './settings';

/** Users of the API who sign in at Entra. */
export interface SignInSettings {
  readonly tenantId: string;
  /** The app registration that tokens must be made for. */
  readonly clientId: string;
  /** Without the tenant and without a trailing slash. */
  readonly authority: string;
}

/** Keys from the environment or a file; the first encrypts. None where neither is set. Problems go to `read`. */
export function readSecretKeySettings(read: SettingsReader): readonly SecretKey[] {
  const [inline, file] = ['SIDEKICK_SECRET_KEY', 'SIDEKICK_SECRET_KEY_FILE'] as const;
  if (read.isSet(inline) && read.isSet(file)) {
    read.problem(inline, `and ${file} are both set; keep one`);
    return [];
  }
  return (
    read.optional(inline, readSecretKeys) ??
    read.optional(file, (text) => readSecretKeys(readFileSync(parse.readableFile(text), 'utf8'))) ??
    []
  );
}

/** undefined where nobody signs in at Entra. Problems go to `read`. */
export function readSignIn(read: SettingsReader): SignInSettings | undefined {
  const tenantId = read.optional('SIDEKICK_SIGN_IN_TENANT_ID', guid);
  const clientId = read.optional('SIDEKICK_SIGN_IN_CLIENT_ID', guid);
  const cloud = read.withDefault('SIDEKICK_GRAPH_CLOUD', parse.cloud, 'global');
  const authority = read.withDefault('SIDEKICK_SIGN_IN_AUTHORITY', parse.serviceUrl, GRAPH_CLOUDS[cloud].authority);
  if ((tenantId === undefined) !== (clientId === undefined)) {
    const [missing, there] =
      tenantId === undefined
        ? (['SIDEKICK_SIGN_IN_TENANT_ID', 'SIDEKICK_SIGN_IN_CLIENT_ID'] as const)
        : (['SIDEKICK_SIGN_IN_CLIENT_ID', 'SIDEKICK_SIGN_IN_TENANT_ID'] as const);
    if (read.isSet(there) && !read.isSet(missing)) {
      read.problem(missing, `is not set, although ${there} is`);
    }
    return undefined;
  }
  return tenantId === undefined || clientId === undefined ? undefined : { tenantId, clientId, authority };
}

/** Tokens name tenants and applications by their ids, so domains will not do. */
function guid(text: string): string {
  if (!/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text)) {
    throw new Error('is not an id (GUID) as Entra shows it');
  }
  return text.toLowerCase();
}
