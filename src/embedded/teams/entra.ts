import {
  createHmac,
  createPublicKey,
  createVerify,
  randomBytes,
  timingSafeEqual,
  verify,
  constants,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { X509Certificate } from 'node:crypto';
import type { Clock } from '../../lib/clock';
import { newId } from '../../lib/ids';

/**
 * The client credentials grant of Microsoft Entra ID, v2.0 endpoint, as @azure/msal-node 7 calls it: a secret in the form, or
 * an assertion signed with the key of a certificate (PS256 with `x5t#S256`, RS256 with `x5t`). Errors carry the AADSTS codes
 * that operators know.
 */
export interface EntraOptions {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  /** PEM of the certificate registered with the application. */
  readonly clientCertificate?: string;
  /** A federated credential: taken as it is, whoever made it. */
  readonly clientAssertion?: string;
  /** Application roles that a token holds. */
  readonly roles: readonly string[];
  readonly tokenLifetimeSeconds: number;
  readonly clock: Clock;
}

export interface TokenAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export type TokenCheck =
  | { readonly ok: true; readonly appId: string; readonly roles: readonly string[] }
  | { readonly ok: false; readonly message: string };

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const GRAPH_RESOURCE = 'https://graph.microsoft.com';

interface Refusal {
  readonly error: string;
  readonly code: number;
  readonly text: string;
  readonly status?: number;
}

export class Entra {
  readonly #options: EntraOptions;
  readonly #key = randomBytes(32);
  #roles: readonly string[];
  #lifetimeSeconds: number;
  /** Tokens issued before this moment are refused, as after a revocation. */
  #notBefore = 0;
  #issued = 0;

  constructor(options: EntraOptions) {
    this.#options = options;
    this.#roles = options.roles;
    this.#lifetimeSeconds = options.tokenLifetimeSeconds;
  }

  get issued(): number {
    return this.#issued;
  }

  setRoles(roles: readonly string[]): void {
    this.#roles = roles;
  }

  setLifetime(seconds: number): void {
    this.#lifetimeSeconds = seconds;
  }

  /** Makes every token issued so far invalid. */
  revoke(): void {
    this.#notBefore = this.#issued;
  }

  /**
   * Answers `POST /<tenant>/oauth2/v2.0/token`.
   * @param origin scheme, host and port under which the client reached us; part of the audience of an assertion
   */
  token(tenant: string, form: URLSearchParams, origin: string): TokenAnswer {
    const refusal = this.#refuse(tenant, form, origin);
    if (refusal) {
      return this.#error(refusal);
    }
    const resource = (form.get('scope') ?? '').slice(0, -'/.default'.length);

    return {
      status: 200,
      body: {
        token_type: 'Bearer',
        expires_in: this.#lifetimeSeconds,
        ext_expires_in: this.#lifetimeSeconds,
        access_token: this.#sign(resource),
      },
    };
  }

  /** Checks the value of an Authorization header. */
  check(authorization: string | undefined): TokenCheck {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) {
      return { ok: false, message: 'Access token is empty.' };
    }
    const [head, body, signature] = token.split('.');
    if (head === undefined || body === undefined || signature === undefined) {
      return { ok: false, message: 'IDX14100: JWT is not well formed, there are no dots (.).' };
    }
    const expected = createHmac('sha256', this.#key).update(`${head}.${body}`).digest();
    const given = Buffer.from(signature, 'base64url');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      return { ok: false, message: 'Access token validation failure. Invalid signature.' };
    }
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as {
      exp: number;
      serial: number;
      appid: string;
      roles: string[];
    };
    if (claims.exp * 1000 <= this.#options.clock.now()) {
      return { ok: false, message: 'Lifetime validation failed, the token is expired.' };
    }
    if (claims.serial <= this.#notBefore) {
      return { ok: false, message: 'Continuous access evaluation resulted in challenge: the token was revoked.' };
    }

    return { ok: true, appId: claims.appid, roles: claims.roles };
  }

  #sign(resource: string): string {
    const now = Math.floor(this.#options.clock.now() / 1000);
    const head = segment({ typ: 'JWT', alg: 'HS256' });
    const body = segment({
      aud: resource,
      iss: `https://sts.windows.net/${this.#options.tenantId}/`,
      iat: now,
      nbf: now,
      exp: now + this.#lifetimeSeconds,
      appid: this.#options.clientId,
      tid: this.#options.tenantId,
      roles: this.#roles,
      serial: ++this.#issued,
      uti: newId(),
    });

    return `${head}.${body}.${createHmac('sha256', this.#key).update(`${head}.${body}`).digest('base64url')}`;
  }

  #refuse(tenant: string, form: URLSearchParams, origin: string): Refusal | undefined {
    const { tenantId, clientId } = this.#options;
    if (tenant.toLowerCase() !== tenantId.toLowerCase()) {
      return { error: 'invalid_request', code: 90002, text: `Tenant '${tenant}' not found. Check the tenant ID.` };
    }
    const grant = form.get('grant_type');
    if (grant !== 'client_credentials') {
      return grant === null
        ? { error: 'invalid_request', code: 900144, text: "The request body must contain the parameter: 'grant_type'." }
        : {
            error: 'unsupported_grant_type',
            code: 70003,
            text: `The app requested a grant type '${grant}' that is not supported.`,
          };
    }
    if (form.get('client_id')?.toLowerCase() !== clientId.toLowerCase()) {
      const given = form.get('client_id') ?? '';

      return {
        error: 'unauthorized_client',
        code: 700016,
        text: `Application with identifier '${given}' was not found in the directory.`,
      };
    }

    return this.#refuseCredential(form, tenant, origin) ?? this.#refuseScope(form.get('scope') ?? '', origin);
  }

  #refuseScope(scope: string, origin: string): Refusal | undefined {
    if (!scope.endsWith('/.default') || scope.includes(' ')) {
      return {
        error: 'invalid_scope',
        code: 1002012,
        text: `The provided value for scope ${scope} is not valid. It must be a resource identifier with /.default.`,
      };
    }
    const resource = scope.slice(0, -'/.default'.length);
    const known = [GRAPH_RESOURCE, origin, origin.replace(/^http:/, 'https:')];

    return known.includes(resource.replace(/\/$/, ''))
      ? undefined
      : {
          error: 'invalid_resource',
          code: 500011,
          text: `The resource principal named ${resource} was not found in the tenant.`,
        };
  }

  #refuseCredential(form: URLSearchParams, tenant: string, origin: string): Refusal | undefined {
    const assertion = form.get('client_assertion');
    const secret = form.get('client_secret');
    if (assertion !== null) {
      if (form.get('client_assertion_type') !== ASSERTION_TYPE) {
        return { error: 'invalid_request', code: 90002, text: 'client_assertion_type must be the JWT bearer type.' };
      }

      return this.#refuseAssertion(assertion, [`${origin}/${tenant}/v2.0`, `${origin}/${tenant}/oauth2/v2.0/token`]);
    }
    if (secret === null) {
      return {
        error: 'invalid_client',
        code: 7000218,
        text: "The request body must contain the parameter: 'client_assertion' or 'client_secret'.",
        status: 401,
      };
    }
    const expected = this.#options.clientSecret;
    if (expected === undefined || !sameText(secret, expected)) {
      return {
        error: 'invalid_client',
        code: 7000215,
        text: 'Invalid client secret provided. Ensure the secret being sent is the client secret value, not the client secret ID.',
        status: 401,
      };
    }

    return undefined;
  }

  #refuseAssertion(assertion: string, audiences: readonly string[]): Refusal | undefined {
    const bad = (code: number, text: string): Refusal => ({ error: 'invalid_client', code, text, status: 401 });
    if (this.#options.clientAssertion !== undefined && sameText(assertion, this.#options.clientAssertion)) {
      return undefined;
    }
    const parsed = parseJwt(assertion);
    if (!parsed) {
      return bad(50027, 'JWT token is invalid or malformed.');
    }
    const pem = this.#options.clientCertificate;
    const certificate = pem === undefined ? undefined : new X509Certificate(pem);
    if (!certificate || !thumbprintMatches(parsed.head, certificate)) {
      return bad(
        700027,
        'The certificate with identifier used to sign the client assertion is not registered on application.',
      );
    }
    if (!signatureHolds(parsed, createPublicKey(certificate.publicKey.export({ type: 'spki', format: 'pem' })))) {
      return bad(700027, 'Client assertion contains an invalid signature.');
    }
    const { iss, sub, aud, exp, nbf } = parsed.claims;
    const now = this.#options.clock.now() / 1000;
    if (iss !== this.#options.clientId || sub !== this.#options.clientId) {
      return bad(700021, "Client assertion application identifier doesn't match 'client_id' parameter.");
    }
    if (typeof aud !== 'string' || !audiences.some((a) => sameAudience(a, aud))) {
      return bad(700023, 'Client assertion audience claim does not match Realm issuer.');
    }
    if (typeof exp !== 'number' || exp < now || (typeof nbf === 'number' && nbf > now + 300)) {
      return bad(700024, 'Client assertion is not within its valid time range.');
    }

    return undefined;
  }

  #error({ error, code, text, status }: Refusal): TokenAnswer {
    const trace = newId();
    const correlation = newId();
    const timestamp = new Date(this.#options.clock.now()).toISOString().replace('T', ' ').replace(/\.\d+/, '');

    return {
      status: status ?? 400,
      body: {
        error,
        error_description: `AADSTS${code}: ${text} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
        error_codes: [code],
        timestamp,
        trace_id: trace,
        correlation_id: correlation,
        error_uri: `https://login.microsoftonline.com/error?code=${code}`,
      },
    };
  }
}

interface Jwt {
  readonly head: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signed: string;
  readonly signature: Buffer;
}

function parseJwt(token: string): Jwt | undefined {
  const [head, claims, signature] = token.split('.');
  if (head === undefined || claims === undefined || signature === undefined) {
    return undefined;
  }
  try {
    return {
      head: JSON.parse(Buffer.from(head, 'base64url').toString()) as Jwt['head'],
      claims: JSON.parse(Buffer.from(claims, 'base64url').toString()) as Jwt['claims'],
      signed: `${head}.${claims}`,
      signature: Buffer.from(signature, 'base64url'),
    };
  } catch {
    return undefined; // Not JSON: the caller answers "malformed".
  }
}

function thumbprintMatches(head: Jwt['head'], certificate: X509Certificate): boolean {
  const hex = (print: string): string => Buffer.from(print.replace(/:/g, ''), 'hex').toString('base64url');

  return head['x5t#S256'] === hex(certificate.fingerprint256) || head.x5t === hex(certificate.fingerprint);
}

function signatureHolds({ head, signed, signature }: Jwt, key: KeyObject): boolean {
  if (head.alg === 'PS256') {
    const padding = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };

    return verify('sha256', Buffer.from(signed), padding, signature);
  }

  return head.alg === 'RS256' && createVerify('RSA-SHA256').update(signed).verify(key, signature);
}

/** msal insists on https in an authority; over plain HTTP on loopback only the scheme of the audience differs then. */
function sameAudience(a: string, b: string): boolean {
  const bare = (url: string): string =>
    url
      .replace(/^https?:/, '')
      .replace(/\/$/, '')
      .toLowerCase();

  return bare(a) === bare(b);
}

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);

  return left.length === right.length && timingSafeEqual(left, right);
}

function segment(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
