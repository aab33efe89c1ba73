import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import pino from 'pino';
import { systemClock } from '../../../src/lib/clock';
import { SidekickError } from '../../../src/lib/errors';
import { createGraphClient } from '../../../src/presence/graph-client';
import type { GraphClient } from '../../../src/presence/graph-client';

const TENANT = '5d6e0a3c-9f4f-4b8e-8c54-0a4cbb7f1c11';
const SECRET = 'hush-client-secret';

type Handler = (req: IncomingMessage, res: ServerResponse, body: string) => void;

/** A token service and Graph in one plain HTTP server on this machine; each test says how they answer. */
class Peer {
  readonly requests: { path: string; body: string; authorization: string | undefined }[] = [];
  tokens = 0;
  graph: Handler = (_req, res) => json(res, 200, { value: [] });
  token: Handler = (_req, res) =>
    json(res, 200, { token_type: 'Bearer', expires_in: 3599, access_token: `hush-token-${++this.tokens}` });
  readonly #server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const url = req.url ?? '';
      this.requests.push({ path: url, body, authorization: req.headers.authorization });
      if (url.includes('/.well-known/openid-configuration')) {
        const base = `https://127.0.0.1:${this.port}/${TENANT}`;
        json(res, 200, {
          issuer: `${base}/v2.0`,
          authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
          token_endpoint: `${base}/oauth2/v2.0/token`,
          jwks_uri: `${base}/discovery/v2.0/keys`,
        });
      } else if (url.includes('/oauth2/v2.0/token')) {
        this.token(req, res, body);
      } else {
        this.graph(req, res, body);
      }
    });
  });

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }
  graphRequests() {
    return this.requests.filter((r) => r.path.startsWith('/v1.0/'));
  }
  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }
  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

function json(res: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

describe('the Graph client', () => {
  let peer: Peer;
  let client: GraphClient;
  let logged: string;

  beforeEach(async () => {
    peer = new Peer();
    await peer.listen();
    logged = '';
    const log = pino({ level: 'trace' }, { write: (line: string) => (logged += line) });
    client = createGraphClient(
      {
        tenantId: TENANT,
        clientId: 'app-1',
        clientSecret: SECRET,
        cloud: 'global',
        writeBack: false,
        baseUrl: peer.url,
        authority: peer.url,
      },
      { log, clock: systemClock },
    );
  });
  afterEach(async () => {
    client.close();
    await peer.close();
    expect(logged).not.toContain('hush');
  });

  const failure = async (): Promise<SidekickError> => {
    const error: unknown = await client.readPresences(['u1']).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(SidekickError);
    const { message, why, next } = error as SidekickError;
    expect(`${message}${why}${next}`).not.toContain('hush');
    return error as SidekickError;
  };

  it('gets a token by client credentials and reads presences in Graph’s own way', async () => {
    peer.graph = (_req, res) =>
      json(res, 200, {
        value: [
          { id: 'u1', availability: 'Available', activity: 'Available', sequenceNumber: 'A001' },
          { id: 'u2', availability: 'Busy', activity: 'InACall', sequenceNumber: null },
          { availability: 'Available' },
        ],
      });
    expect(client.tokenState().ok).toBeUndefined();
    expect(await client.readPresences(['u1', 'u2'])).toEqual([
      { entraUserId: 'u1', availability: 'Available', activity: 'Available', sequenceNumber: 'A001' },
      { entraUserId: 'u2', availability: 'Busy', activity: 'InACall', sequenceNumber: undefined },
    ]);
    expect(client.tokenState()).toMatchObject({ ok: true, error: undefined });
    const form = new URLSearchParams(peer.requests.find((r) => r.path.includes('/token'))?.body);
    expect(Object.fromEntries(form)).toMatchObject({
      grant_type: 'client_credentials',
      client_id: 'app-1',
      client_secret: SECRET,
      scope: expect.stringContaining(`${peer.url}/.default`),
    });
    expect(peer.graphRequests()).toEqual([
      {
        path: '/v1.0/communications/getPresencesByUserId',
        body: JSON.stringify({ ids: ['u1', 'u2'] }),
        authorization: 'Bearer hush-token-1',
      },
    ]);
  });

  it('keeps its token for later reads', async () => {
    await client.readPresences(['u1']);
    await client.readPresences(['u1']);
    expect(peer.tokens).toBe(1);
  });

  it('asks for a new token once when Graph no longer takes the old one', async () => {
    await client.readPresences(['u1']);
    peer.graph = (req, res) =>
      req.headers.authorization === 'Bearer hush-token-2'
        ? json(res, 200, { value: [] })
        : json(res, 401, { error: { code: 'InvalidAuthenticationToken', message: 'revoked' } });
    expect(await client.readPresences(['u1'])).toEqual([]);
    expect(peer.tokens).toBe(2);
  });

  it('does not go round in circles when every token is refused', async () => {
    peer.graph = (_req, res) => json(res, 401, { error: { code: 'InvalidAuthenticationToken', message: 'no' } });
    expect((await failure()).code).toBe('SK_GRAPH_REFUSED');
    expect(peer.graphRequests()).toHaveLength(2);
  });

  it.each([
    [429, { 'retry-after': '17' }, 'SK_GRAPH_UNREACHABLE', 17_000],
    [503, { 'retry-after': 'Fri, 01 Jan 1999 00:00:00 GMT' }, 'SK_GRAPH_UNREACHABLE', 0],
    [503, {}, 'SK_GRAPH_UNREACHABLE', undefined],
    [504, {}, 'SK_GRAPH_UNREACHABLE', undefined],
    [403, {}, 'SK_GRAPH_REFUSED', undefined],
    [400, {}, 'SK_GRAPH_REFUSED', undefined],
  ])('turns status %d into an error that says whether and when to try again', async (status, headers, code, wait) => {
    peer.graph = (_req, res) => json(res, status, { error: { code: 'Some', message: 'text' } }, headers);
    const error = await failure();
    expect(error.code).toBe(code);
    expect(error.context['status']).toBe(status);
    expect(error.context['retryAfterMs']).toBe(wait);
    expect(peer.graphRequests()).toHaveLength(1);
  });

  it('names the missing permission after a 403', async () => {
    peer.graph = (_req, res) => json(res, 403, { error: { code: 'Forbidden', message: 'Insufficient privileges' } });
    expect((await failure()).next).toContain('Presence.Read.All');
  });

  it('keeps Entra’s reason when there is no token, and shows it in the token state', async () => {
    peer.token = (_req, res) =>
      json(res, 401, {
        error: 'invalid_client',
        error_description: 'AADSTS7000215: Invalid client secret provided.',
        error_codes: [7000215],
      });
    const error = await failure();
    expect(error.code).toBe('SK_GRAPH_REFUSED');
    expect(error.why).toContain('AADSTS7000215');
    expect(client.tokenState()).toMatchObject({ ok: false, error: expect.stringContaining('AADSTS7000215') });
  });

  it('says what to check when the token service sends a web page', async () => {
    peer.token = (_req, res) => res.writeHead(200).end('<html>proxy</html>');
    expect((await failure()).next).toContain('SIDEKICK_GRAPH_AUTHORITY');
  });

  it('reports a token service that is not there as unreachable', async () => {
    peer.token = (req) => req.socket.destroy();
    const error = await failure();
    expect(error.code).toBe('SK_GRAPH_UNREACHABLE');
    expect(error.message).toContain('token service');
  });

  it('does not carry its token along a redirect', async () => {
    const other = new Peer();
    await other.listen();
    peer.graph = (_req, res) => res.writeHead(307, { location: `${other.url}/v1.0/elsewhere` }).end();
    expect((await failure()).code).toBe('SK_GRAPH_UNREACHABLE');
    expect(other.requests).toEqual([]);
    await other.close();
  });

  it('reports a list that is none', async () => {
    peer.graph = (_req, res) => json(res, 200, { hello: 'world' });
    expect((await failure()).code).toBe('SK_GRAPH_REFUSED');
  });

  it('reports a peer that closes the connection as unreachable', async () => {
    peer.graph = (req) => req.socket.destroy();
    expect((await failure()).code).toBe('SK_GRAPH_UNREACHABLE');
  });

  it('ends a read that hangs when it is closed', async () => {
    peer.graph = () => undefined;
    const pending = client.readPresences(['u1']).catch((e: unknown) => e);
    while (peer.graphRequests().length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    client.close();
    client.close();
    expect(await pending).toBeInstanceOf(SidekickError);
  });

  it('refuses more users than Graph takes', async () => {
    const ids = Array.from({ length: 651 }, (_, i) => String(i));
    await expect(client.readPresences(ids)).rejects.toMatchObject({ code: 'SK_INTERNAL' });
    expect(peer.requests).toEqual([]);
  });

  it('shows no secret when an error is inspected', async () => {
    peer.graph = (_req, res) => json(res, 500, { error: { code: 'x', message: 'y' } });
    expect(inspect(await failure(), { depth: 9, showHidden: true })).not.toContain('hush');
  });

  it('says what a certificate file must hold', () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'graph-cert-'));
    const file = path.join(dir, 'a.pem');
    writeFileSync(file, 'nothing');
    const make = () =>
      createGraphClient(
        {
          tenantId: TENANT,
          clientId: 'a',
          certificate: file,
          cloud: 'global',
          writeBack: false,
          baseUrl: peer.url,
          authority: peer.url,
        },
        { log: pino({ level: 'silent' }), clock: systemClock },
      );
    expect(make).toThrow(/SK_SETTINGS_INVALID/);
    rmSync(dir, { recursive: true });
  });
});
