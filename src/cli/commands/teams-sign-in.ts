import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { GRAPH_CLOUDS } from '../../config/graph-clouds';
import { tenant as tenantId, serviceUrl } from '../../config/settings-values';
import { sleep } from '../../lib/clock';
import { describeError, SidekickError } from '../../lib/errors';
import type { Context } from '../context';
import { line } from '../io';

export interface SignInOptions {
  readonly account: string;
  readonly out: string;
  readonly tenantId?: string;
  readonly clientId?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Signs an account in by device code and writes its refresh token to a file: Graph sends presence by itself to signed-in accounts
 * only. Tenant and application come from the options, else from SIDEKICK_GRAPH_TENANT_ID and SIDEKICK_GRAPH_CLIENT_ID.
 * @throws SidekickError SK_USAGE, SK_GRAPH_UNREACHABLE, SK_GRAPH_REFUSED
 */
export async function signIn(context: Context, options: SignInOptions): Promise<number> {
  const { env, stderr } = context.io;
  const tenant = options.tenantId ?? env['SIDEKICK_GRAPH_TENANT_ID'];
  const clientId = options.clientId ?? env['SIDEKICK_GRAPH_CLIENT_ID'];
  if (!tenant || !clientId) {
    throw new SidekickError('SK_USAGE', 'it is not known which application the account signs in to', {
      next: 'give --tenant-id and --client-id, or set SIDEKICK_GRAPH_TENANT_ID and SIDEKICK_GRAPH_CLIENT_ID',
    });
  }
  const authority = serviceUrl(env['SIDEKICK_GRAPH_AUTHORITY'] ?? GRAPH_CLOUDS.global.authority);
  const graph = serviceUrl(env['SIDEKICK_GRAPH_BASE_URL'] ?? GRAPH_CLOUDS.global.baseUrl);
  const base = `${authority}/${tenantId(tenant)}/oauth2/v2.0`;
  const scope = `${graph}/Presence.Read.All offline_access`;
  const code = await ask(`${base}/devicecode`, { client_id: clientId, scope });
  if (typeof code['device_code'] !== 'string') {
    throw refused(code);
  }
  line(stderr, typeof code['message'] === 'string' ? code['message'] : `open ${String(code['verification_uri'])}`);
  line(stderr, `sign in as ${options.account}`);
  const refreshToken = await waitForToken(`${base}/token`, clientId, code);
  const text = `${JSON.stringify({ account: options.account, refreshToken }, null, 2)}\n`;
  const file = path.resolve(context.io.cwd, options.out);
  const next = `${file}.new`;
  try {
    await writeFile(next, text, { mode: 0o600 });
    await rename(next, file);
  } catch (error) {
    throw new SidekickError('SK_USAGE', `${options.out} cannot be written`, {
      why: describeError(error),
      cause: error,
    });
  }
  line(context.io.stdout, `${options.account} is signed in; its file is ${file}`);
  line(stderr, `next: name the file in SIDEKICK_GRAPH_ACCOUNTS on every node`);
  return 0;
}

async function waitForToken(url: string, clientId: string, code: Fields): Promise<string> {
  const until = Date.now() + 1000 * (typeof code['expires_in'] === 'number' ? code['expires_in'] : 900);
  let waitMs = 1000 * (typeof code['interval'] === 'number' ? code['interval'] : 5);
  while (Date.now() < until) {
    await sleep(waitMs);
    const answer = await ask(url, {
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      client_id: clientId,
      device_code: String(code['device_code']),
    });
    if (typeof answer['refresh_token'] === 'string') {
      return answer['refresh_token'];
    }
    if (answer['error'] === 'slow_down') {
      waitMs += 5_000;
    } else if (answer['error'] !== 'authorization_pending') {
      throw refused(answer);
    }
  }
  throw new SidekickError('SK_GRAPH_REFUSED', 'nobody signed in', {
    why: 'the code has expired',
    next: 'run the command again',
  });
}

async function ask(url: string, fields: Readonly<Record<string, string>>): Promise<Fields> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams(fields),
      redirect: 'error',
      signal: AbortSignal.timeout(10_000),
    });
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null ? (body as Fields) : {};
  } catch (error) {
    throw new SidekickError('SK_GRAPH_UNREACHABLE', 'the token service did not answer', {
      why: describeError(error),
      next: 'check the network from this machine to SIDEKICK_GRAPH_AUTHORITY',
      cause: error,
    });
  }
}

/** Entra's own text (AADSTS…) names the cause and holds no secret. */
function refused(answer: Fields): SidekickError {
  const text = answer['error_description'];
  return new SidekickError('SK_GRAPH_REFUSED', 'the account cannot be signed in', {
    why: typeof text === 'string' ? (text.split(/\r?\n/)[0] ?? '').slice(0, 300) : 'the token service gave no reason',
    next: 'the app registration must allow public client flows and hold the delegated permission Presence.Read.All',
  });
}
