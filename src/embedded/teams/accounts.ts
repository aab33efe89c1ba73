/**
 * Signed-in people at Entra: the device code flow by which an administrator signs an account in, and the refresh token grant.
 * Access tokens are signed with RS256 by a key that `/discovery/v2.0/keys` publishes, and so are the tokens that prove where a
 * notification comes from.
 */
import { createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Clock } from '../../lib/clock';
import { newId } from '../../lib/ids';

export interface AccountSpec {
  /** User principal name. */
  readonly name: string;
  /** Object id. Default: made up. */
  readonly id?: string;
}

export interface Delegated {
  readonly userId: string;
  readonly appId: string;
}

interface DeviceCode {
  readonly userCode: string;
  approvedBy: string | undefined;
  readonly until: number;
}

const CHANGE_TRACKING_APP = '0bf30f3b-4a52-48df-9a82-234910c4a086';
const ACCESS_SECONDS = 4_500;
const DEVICE_CODE_MS = 900_000;

export class Accounts {
  readonly #clock: Clock;
  readonly #tenantId: string;
  readonly #clientId: string;
  readonly #accounts: readonly Required<AccountSpec>[];
  readonly #kid = randomBytes(12).toString('base64url');
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #refresh = new Map<string, string>();
  readonly #access = new Map<string, { readonly userId: string; readonly until: number }>();
  readonly #devices = new Map<string, DeviceCode>();

  constructor(options: {
    readonly clock: Clock;
    readonly tenantId: string;
    readonly clientId: string;
    readonly accounts: readonly AccountSpec[];
  }) {
    this.#clock = options.clock;
    this.#tenantId = options.tenantId;
    this.#clientId = options.clientId;
    this.#accounts = options.accounts.map((account) => ({ id: newId(), ...account }));
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.#privateKey = pair.privateKey;
    this.#publicKey = pair.publicKey;
  }

  /** A refresh token as `sidekick teams sign-in` would get it. */
  refreshTokenOf(name: string): string {
    const account = this.#accounts.find((candidate) => candidate.name === name);
    if (!account) {
      throw new Error(`no account ${name}`);
    }
    return this.#newRefreshToken(account.id);
  }

  /** Makes every refresh token invalid, as when a password was changed. */
  revoke(): void {
    this.#refresh.clear();
    this.#access.clear();
  }

  keys(): unknown {
    return { keys: [{ ...this.#publicKey.export({ format: 'jwk' }), use: 'sig', kid: this.#kid, alg: 'RS256' }] };
  }

  /** The account of a delegated access token; undefined for any other token. */
  check(authorization: string | undefined): Delegated | undefined {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
    const known = this.#access.get(token);
    return known && known.until > this.#clock.now() ? { userId: known.userId, appId: this.#clientId } : undefined;
  }

  deviceCode(origin: string): unknown {
    const code = randomBytes(24).toString('base64url');
    const userCode = randomBytes(5).toString('hex').toUpperCase();
    this.#devices.set(code, { userCode, approvedBy: undefined, until: this.#clock.now() + DEVICE_CODE_MS });
    const verification = `${origin}/device`;
    return {
      device_code: code,
      user_code: userCode,
      verification_uri: verification,
      expires_in: DEVICE_CODE_MS / 1000,
      interval: 1,
      message: `To sign in, open ${verification} and enter the code ${userCode}.`,
    };
  }

  /** What a person does in the browser. False: no such code or account. */
  approve(userCode: string, name: string): boolean {
    const device = [...this.#devices.values()].find((candidate) => candidate.userCode === userCode);
    const account = this.#accounts.find((candidate) => candidate.name === name);
    if (!device || !account) {
      return false;
    }
    device.approvedBy = account.id;
    return true;
  }

  /** Answers a delegated grant; undefined for a grant that is none. */
  token(form: URLSearchParams): { readonly status: number; readonly body: Record<string, unknown> } | undefined {
    switch (form.get('grant_type')) {
      case 'refresh_token': {
        const userId = this.#refresh.get(form.get('refresh_token') ?? '');
        return userId === undefined
          ? refusal('invalid_grant', 'AADSTS700082: The refresh token has expired or was revoked.')
          : this.#grant(userId);
      }
      case 'urn:ietf:params:oauth:grant-type:device_code': {
        const device = this.#devices.get(form.get('device_code') ?? '');
        if (!device || device.until <= this.#clock.now()) {
          return refusal('expired_token', 'AADSTS70019: The device code has expired.');
        }
        return device.approvedBy === undefined
          ? refusal('authorization_pending', 'AADSTS70016: Authorization is pending. Continue polling.')
          : this.#grant(device.approvedBy);
      }
      default: {
        return undefined;
      }
    }
  }

  /** A token that proves that a notification comes from Graph. `wrong`: one that must not be taken. */
  validationToken(wrong?: 'audience' | 'issuer' | 'signature' | 'expired' | 'sender'): string {
    const now = Math.floor(this.#clock.now() / 1000) - (wrong === 'expired' ? 7_200 : 0);
    const token = this.#sign({
      aud: wrong === 'audience' ? newId() : this.#clientId,
      iss: wrong === 'issuer' ? 'https://evil.example/v2.0' : `https://sts.windows.net/${this.#tenantId}/`,
      iat: now,
      nbf: now,
      exp: now + 3_600,
      azp: wrong === 'sender' ? newId() : CHANGE_TRACKING_APP,
      tid: this.#tenantId,
      ver: '1.0',
    });
    return wrong === 'signature' ? `${token.slice(0, -20)}${'A'.repeat(20)}` : token;
  }

  #grant(userId: string): { readonly status: number; readonly body: Record<string, unknown> } {
    const now = Math.floor(this.#clock.now() / 1000);
    const name = this.#accounts.find((account) => account.id === userId)?.name ?? '';
    const token = this.#sign({
      aud: 'https://graph.microsoft.com',
      iss: `https://sts.windows.net/${this.#tenantId}/`,
      iat: now,
      exp: now + ACCESS_SECONDS,
      appid: this.#clientId,
      oid: userId,
      upn: name,
      tid: this.#tenantId,
      scp: 'Presence.Read.All',
      uti: newId(),
    });
    this.#access.set(token, { userId, until: (now + ACCESS_SECONDS) * 1000 });
    return {
      status: 200,
      body: {
        token_type: 'Bearer',
        scope: 'https://graph.microsoft.com/Presence.Read.All',
        expires_in: ACCESS_SECONDS,
        access_token: token,
        refresh_token: this.#newRefreshToken(userId),
      },
    };
  }

  #newRefreshToken(userId: string): string {
    const token = `0.${randomBytes(40).toString('base64url')}`;
    this.#refresh.set(token, userId);
    return token;
  }

  #sign(claims: Record<string, unknown>): string {
    const segment = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${segment({ typ: 'JWT', alg: 'RS256', kid: this.#kid })}.${segment(claims)}`;
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(this.#privateKey).toString('base64url')}`;
  }
}

function refusal(
  error: string,
  description: string,
): { readonly status: number; readonly body: Record<string, unknown> } {
  return { status: 400, body: { error, error_description: description } };
}
