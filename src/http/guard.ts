import type { FastifyRequest, RouteOptions } from 'fastify';
import { SidekickError } from '../lib/errors';
import type { Role } from '../config/roles';
import { identify } from './access';
import type { AccessRule } from './access';
import { requireRole } from './identity';
import type { Identity } from './identity';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The least role that may use the route. Every route under /api/ has one. */
    readonly needs?: Role;
  }
}

/** Lets only those in whose role reaches that of the route, and remembers who they are. */
export class Guard {
  readonly #rule: () => AccessRule;
  readonly #who = new WeakMap<FastifyRequest, Identity>();

  constructor(rule: () => AccessRule) {
    this.#rule = rule;
  }

  /** @throws SidekickError SK_UNAUTHENTICATED, SK_NOT_ALLOWED, SK_USAGE */
  readonly check = async (request: FastifyRequest): Promise<void> => {
    const { authorization, host } = request.headers;
    const identity = await identify(this.#rule(), { authorization, hostHeader: host });
    const { needs } = request.routeOptions.config;
    if (needs === undefined) {
      throw new SidekickError('SK_INTERNAL', 'a route of the API says not who may use it');
    }
    requireRole(identity, needs);
    // A web page can make a browser post a form to this machine, but not JSON without asking first.
    if (request.method !== 'GET' && !/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
      throw new SidekickError('SK_USAGE', 'a change is asked for as JSON', {
        next: 'send the header "Content-Type: application/json" and an object, {} at least',
      });
    }
    this.#who.set(request, identity);
  };

  /** Who asks; known once `check` has passed. */
  who(request: FastifyRequest): Identity {
    const identity = this.#who.get(request);
    if (identity === undefined) {
      throw new SidekickError('SK_INTERNAL', 'a request was answered without asking who sends it');
    }
    return identity;
  }
}

export interface ApiRoute {
  readonly method: string;
  readonly url: string;
  readonly needs: Role;
}

/** What `onRoute` of fastify tells of a route of the API; undefined for others. */
export function apiRoute({ method, url, config }: RouteOptions): ApiRoute | undefined {
  const needs = config?.needs;
  const name = Array.isArray(method) ? method.join(',') : method;
  return needs === undefined || name === 'HEAD' ? undefined : { method: name, url, needs };
}
