import type { FastifyPluginCallback } from 'fastify';
import type { LinkState, NodeView } from './ports';

export interface HealthOptions {
  readonly node: NodeView;
  readonly version: string;
}

/**
 * `GET /healthz`: 200 while the process answers. `GET /readyz`: 200 if calls can be taken, else 503; JSON with every link, also
 * those whose loss leaves the node ready.
 */
export const health: FastifyPluginCallback<HealthOptions> = (app, { node, version }, done) => {
  app.get('/healthz', (_request, reply) => reply.send({ status: 'up', version }));
  app.get('/readyz', (_request, reply) => {
    const links = node.links();
    const stopping = node.stopping();
    const ready = !stopping && Object.values(links).every((link) => link.up || link.needed === false);
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({
        status: ready ? 'ready' : stopping ? 'stopping' : 'not-ready',
        links: Object.fromEntries(Object.entries(links).map(([name, link]) => [name, shown(link)])),
      });
  });
  done();
};

function shown({ up, detail, since }: LinkState): { up: boolean; detail: string; since: string } {
  return { up, detail, since: new Date(since).toISOString() };
}
