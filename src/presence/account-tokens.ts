/**
 * Tokens of a signed-in account, which Graph asks for before it sends presence by itself (delegated Presence.Read.All). The
 * account's refresh token lives in a file that `sidekick teams sign-in` writes; Entra gives a newer one now and then, which is
 * written back so that it never grows old.
 */
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import type { GraphSettings } from '../config/settings';
import type { Clock } from '../lib/clock';
import { describeError, SidekickError } from '../lib/errors';
import type { Log } from '../lib/log';
import { isRecord } from './graph-client';
import { REQUEST_TIMEOUT_MS, unreachable } from './graph-errors';
import type { TokenProvider } from './graph-tokens';

/** A token is not used in its last minutes. */
const SPARE_MS = 300_000;

export class AccountTokens implements TokenProvider {
  readonly name: string;
  readonly #graph: GraphSettings;
  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #refreshToken: string;
  #access: { readonly token: string; readonly until: number } | undefined;

  /** @throws SidekickError SK_SETTINGS_INVALID if the file holds no account */
  constructor(graph: GraphSettings, file: string, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#graph = graph;
    this.#file = file;
    this.#clock = deps.clock;
    this.#log = deps.log;
    const { account, refreshToken } = readAccount(file);
    this.name = account;
    this.#refreshToken = refreshToken;
  }

  async get({ fresh = false } = {}): Promise<string> {
    if (!fresh && this.#access && this.#access.until - SPARE_MS > this.#clock.now()) {
      return this.#access.token;
    }
    const { tenantId, clientId, baseUrl, authority } = this.#graph;
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: clientId,
      refresh_token: this.#refreshToken,
      scope: `${baseUrl}/Presence.Read.All offline_access`,
    });
    let body: unknown;
    try {
      const response = await fetch(`${authority}/${tenantId}/oauth2/v2.0/token`, {
        method: 'POST',
        body: form,
        redirect: 'error',
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      body = await response.json();
    } catch (error) {
      throw unreachable('the token service did not answer', error);
    }
    const answer = isRecord(body) ? body : {};
    const { access_token: token, expires_in: seconds, refresh_token: newer } = answer;
    if (typeof token !== 'string' || typeof seconds !== 'number') {
      throw refused(this.name, answer['error_description']);
    }
    this.#access = { token, until: this.#clock.now() + seconds * 1000 };
    if (typeof newer === 'string' && newer !== this.#refreshToken) {
      await this.#keep(newer);
    }
    return token;
  }

  /** A file that cannot be written is no reason to stop: the old token stays good for months. */
  async #keep(refreshToken: string): Promise<void> {
    this.#refreshToken = refreshToken;
    const next = `${this.#file}.new`;
    try {
      await writeFile(next, `${JSON.stringify({ account: this.name, refreshToken }, null, 2)}\n`, { mode: 0o600 });
      await rename(next, this.#file);
    } catch (error) {
      this.#log.warn(
        { event: 'presence:account-not-kept', account: this.name, error: describeError(error) },
        'the newer sign-in of an account cannot be written to its file',
      );
    }
  }
}

function readAccount(file: string): { readonly account: string; readonly refreshToken: string } {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const { account, refreshToken } = isRecord(value) ? value : {};
    if (typeof account !== 'string' || account === '' || typeof refreshToken !== 'string' || refreshToken === '') {
      throw new Error('it holds no account and refreshToken');
    }
    return { account, refreshToken };
  } catch (error) {
    throw new SidekickError('SK_SETTINGS_INVALID', 'the file of a signed-in account is not usable', {
      // A JSON error quotes what it read, which may be the token.
      why: `${file}: ${error instanceof SyntaxError ? 'it is not JSON' : describeError(error)}`,
      next: 'write it with `sidekick teams sign-in`',
    });
  }
}

function refused(account: string, description: unknown): SidekickError {
  const text = typeof description === 'string' ? description.split(/\r?\n/)[0]?.slice(0, 300) : undefined;
  return new SidekickError('SK_GRAPH_REFUSED', `no token for the account ${account}`, {
    why: text ?? 'the token service gave no reason',
    next: 'sign it in again with `sidekick teams sign-in`',
  });
}
