import Fastify, { type FastifyInstance } from 'fastify';
import { SidekickError } from '../../lib/errors';
import { registerControlRoutes, type TenantControl } from './control-routes';
import { registerGraphRoutes, openIdConfiguration } from './graph-routes';
import type { TenantServices } from './tenant-services';

export interface TenantHttp {
  readonly port: number;
  /** Give it to the product as SIDEKICK_GRAPH_BASE_URL and SIDEKICK_GRAPH_AUTHORITY. */
  readonly baseUrl: string;
  close(): Promise<void>;
}

/**
 * Serves Entra, Graph and the control API on one port, in plain HTTP on loopback.
 * @throws SidekickError SK_USAGE for an address that others could reach, SK_PORT_TAKEN
 */
export async function startTenantHttp(
  address: { readonly host: string; readonly port: number },
  services: TenantServices,
  control: TenantControl,
  tenantId: string,
): Promise<TenantHttp> {
  requireLoopback(address.host);
  const http = Fastify({ logger: false, bodyLimit: 256 * 1024, forceCloseConnections: true });
  registerGraphRoutes(http, { ...services, tenantId });
  registerControlRoutes(http, control);
  const port = await listen(http, address);

  return { port, baseUrl: `http://${address.host}:${port}`, close: () => http.close() };
}

/** The tenant holds no secret worth the name, but it can be commanded: nobody else may reach it. */
export function requireLoopback(host: string): void {
  if (!/^127\.\d+\.\d+\.\d+$|^::1$/.test(host)) {
    throw new SidekickError('SK_USAGE', `The simulated Teams tenant does not listen on ${host}`, {
      why: 'It can be commanded without a password, so it binds loopback addresses only.',
      next: 'Use 127.0.0.1.',
    });
  }
}

/**
 * What @azure/msal-node 7 needs to take a token from a tenant on plain HTTP: its authority must say https, the host must be
 * known to it, and the endpoints given as metadata keep it from asking for them over https.
 */
export function msalAuth(
  baseUrl: string,
  tenantId: string,
): { readonly authority: string; readonly knownAuthorities: string[]; readonly authorityMetadata: string } {
  const { host } = new URL(baseUrl);

  return {
    authority: `https://${host}/${tenantId}`,
    knownAuthorities: [host],
    authorityMetadata: JSON.stringify(openIdConfiguration(baseUrl, tenantId, tenantId)),
  };
}

async function listen(http: FastifyInstance, { host, port }: { host: string; port: number }): Promise<number> {
  try {
    await http.listen({ host, port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw new SidekickError('SK_PORT_TAKEN', `HTTP port ${port} of the simulated Teams tenant is taken`, {
        why: `Another program listens on ${host}:${port}.`,
        next: 'End it, or choose another port.',
        cause: error,
      });
    }
    throw error;
  }
  const bound = http.server.address();

  return bound !== null && typeof bound === 'object' ? bound.port : port;
}
