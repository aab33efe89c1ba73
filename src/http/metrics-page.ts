import type { FastifyPluginCallback } from 'fastify';
import type { Metrics } from '../lib/metrics';
import type { NodeView } from './ports';

export interface MetricsPageOptions {
  readonly metrics: Metrics;
  readonly node: NodeView;
}

/** `GET /metrics` in the text format of Prometheus. The state of the links is read at that moment. */
export const metricsPage: FastifyPluginCallback<MetricsPageOptions> = (app, { metrics, node }, done) => {
  app.get('/metrics', async (_request, reply) => {
    for (const [name, link] of Object.entries(node.links())) {
      metrics.linkUp(name, link.up);
    }
    const { contentType, text } = await metrics.exposition();
    return reply.type(contentType).send(text);
  });
  done();
};
