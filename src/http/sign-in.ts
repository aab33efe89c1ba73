/** Sign-in at Entra: whose token it is, after everything about it was checked. */
import { ROLES } from '../config/roles';
import type { Role } from '../config/roles';
import type { SignInSettings } from '../config/settings';
import { describeError, SidekickError } from '../lib/errors';
import { IssuerKeys, readToken } from '../lib/jwt';
import type { Claims, SignedToken } from '../lib/jwt';
import type { UserRow } from '../store/types';
import { identityOf } from './identity';
import type { Identity } from './identity';

/** Clocks may differ by so much. */
const SKEW_SECONDS = 60;

export interface SignInDeps {
  readonly settings: SignInSettings;
  readonly now: () => number;
  readonly userByEntraId: (entraUserId: string) => Promise<UserRow | undefined>;
}

export class SignIn {
  readonly #deps: SignInDeps;
  readonly #keys: IssuerKeys;

  constructor(deps: SignInDeps) {
    const { authority, tenantId } = deps.settings;
    this.#deps = deps;
    this.#keys = new IssuerKeys(`${authority}/${tenantId}/discovery/v2.0/keys`, deps.now);
  }

  /** @throws SidekickError SK_UNAUTHENTICATED, SK_NOT_ALLOWED, SK_SIGN_IN_UNREACHABLE */
  async identify(text: string): Promise<Identity> {
    const token = readToken(text);
    if (token === undefined || !(await this.#isSigned(token))) {
      throw refused('it is not signed by a key of the tenant');
    }
    const problem = problemOf(token.claims, this.#deps.settings, this.#deps.now() / 1000);
    const { oid, roles, preferred_username: name } = token.claims;
    if (problem !== undefined || typeof oid !== 'string') {
      throw refused(problem ?? 'it names no user');
    }
    const user = await this.#deps.userByEntraId(oid);
    if (user !== undefined) {
      return identityOf(user, 'entra');
    }
    const role = highest(roles);
    if (role === undefined) {
      throw new SidekickError('SK_NOT_ALLOWED', 'this user has no role here', {
        why: `neither a user with the id ${oid} nor an app role of the registration says what they may do`,
        next: 'an administrator makes the user with `sidekick users create NAME --role … --entra-id …`',
      });
    }
    return { by: `entra:${typeof name === 'string' ? name.slice(0, 100) : oid}`, role, everywhere: true, scopes: [] };
  }

  async #isSigned(token: SignedToken): Promise<boolean> {
    try {
      const key = await this.#keys.find(token.keyId);
      return key !== undefined && token.isSignedBy(key);
    } catch (error) {
      throw new SidekickError('SK_SIGN_IN_UNREACHABLE', 'the keys of the tenant cannot be read', {
        why: describeError(error),
        next: 'check SIDEKICK_SIGN_IN_TENANT_ID, and that the node reaches the sign-in service over HTTPS',
        cause: error,
      });
    }
  }
}

/** What is wrong with the claims of a token that is signed; undefined: nothing. `now` in seconds. */
export function problemOf(
  claims: Claims,
  { tenantId, clientId, authority }: SignInSettings,
  now: number,
): string | undefined {
  const { aud, iss, tid, exp, nbf } = claims;
  if (typeof exp !== 'number' || exp + SKEW_SECONDS < now) {
    return 'it is over';
  }
  if (typeof nbf === 'number' && nbf - SKEW_SECONDS > now) {
    return 'it is not valid yet';
  }
  if (typeof tid !== 'string' || tid.toLowerCase() !== tenantId.toLowerCase()) {
    return 'it is of another tenant';
  }
  // Tokens name https also where a test tenant on this machine speaks http.
  const v2 = `${authority.replace(/^http:/, 'https:')}/${tid}/v2.0`;
  if (iss !== v2 && iss !== `https://sts.windows.net/${tid}/`) {
    return 'its issuer is not the tenant';
  }
  return aud === clientId || aud === `api://${clientId}` ? undefined : 'it is for another application';
}

/** App roles of the registration are named as ours. */
function highest(roles: unknown): Role | undefined {
  const given: readonly unknown[] = Array.isArray(roles) ? roles : [];
  return [...ROLES].reverse().find((role) => given.includes(role));
}

function refused(why: string): SidekickError {
  return new SidekickError('SK_UNAUTHENTICATED', 'the token is not taken', {
    why,
    next: 'sign in again and ask for a token of the app registration that SIDEKICK_SIGN_IN_CLIENT_ID names',
  });
}
