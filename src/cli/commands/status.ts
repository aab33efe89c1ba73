import path from 'node:path';
import { hostPort } from '../../config/settings-values';
import type { HostPort } from '../../config/settings-values';
import { formatHostPort } from '../../config/settings-values';
import { describeError, SidekickError } from '../../lib/errors';
import { store } from '../../store';
import type { QueueSummary } from '../../store';
import type { Context, ListOptions } from '../context';
import { withDatabase } from '../database';
import { line } from '../io';
import { printData } from '../output/json';
import { outputFormat } from '../output/list';
import { findRunning } from '../run-file';
import { queueJson } from './queues';

export interface StatusOptions extends ListOptions {
  readonly http?: string;
}

interface Readiness {
  readonly status: string;
  readonly links: Readonly<Record<string, { readonly up: boolean; readonly detail: string; readonly since: string }>>;
}

const TIMEOUT_MS = 5000;

/** Exit code 0: ready; 1: it answers, but is not ready. @throws SidekickError SK_NODE_UNREACHABLE, SK_POSTGRES_UNREACHABLE */
export async function status(context: Context, options: StatusOptions): Promise<number> {
  const format = outputFormat(context.io, options);
  const base = baseUrl(context, options);
  const readiness = await readReadiness(base, context.global.timeoutMs ?? TIMEOUT_MS);
  const { queues, calls } = await withDatabase(context, options, async (db) => ({
    queues: await store.queueSummaries(db),
    calls: (await store.listCalls(db, { limit: 10_000 })).length,
  }));
  const ready = readiness.status === 'ready';
  if (
    !printData(context.io, format, {
      http: withoutScheme(base),
      ...readiness,
      calls,
      queues: queues.map(queueJson),
    })
  ) {
    print(context, base, readiness, calls, queues);
  }
  return ready ? 0 : 1;
}

function print(
  { io }: Context,
  base: string,
  readiness: Readiness,
  calls: number,
  queues: readonly QueueSummary[],
): void {
  line(io.stdout, `node\t${withoutScheme(base)}\t${readiness.status}`);
  for (const [name, link] of Object.entries(readiness.links)) {
    line(io.stdout, `link\t${name}\t${link.up ? 'up' : 'DOWN'}\t${link.detail}`);
  }
  line(io.stdout, `calls\t${calls}`);
  for (const queue of queues) {
    line(io.stdout, `queue\t${queue.name}\twaiting ${queue.waiting}\tready ${queue.ready}\tin call ${queue.inCall}`);
  }
}

const withoutScheme = (base: string): string => base.replace(/^https?:\/\//, '');

/** --http, then the server of the context or of --server, then the running demo, then SIDEKICK_HTTP. */
function baseUrl(context: Context, options: StatusOptions): string {
  const server = context.global.server ?? context.global.target?.server;
  if (options.http === undefined && server !== undefined) {
    return server.replace(/\/+$/, '');
  }
  const { host, port } = httpAddress(context, options);
  return `http://${formatHostPort({ host: ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host, port })}`;
}

function httpAddress({ io }: Context, options: StatusOptions): HostPort {
  const given = options.http ?? io.env['SIDEKICK_HTTP'];
  const running = findRunning(path.resolve(io.cwd, options.data));
  if (options.http === undefined && running?.http) {
    return running.http;
  }
  try {
    return hostPort(given?.trim() || '127.0.0.1:8080');
  } catch (error) {
    throw new SidekickError('SK_USAGE', 'the HTTP address of the node cannot be understood', {
      why: `--http or SIDEKICK_HTTP ${describeError(error)}`,
      next: 'give --http host:port',
      cause: error,
    });
  }
}

async function readReadiness(base: string, timeoutMs: number): Promise<Readiness> {
  const url = `${base}/readyz`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    const body = (await answer.json()) as Partial<Readiness>;
    if (typeof body.status === 'string' && typeof body.links === 'object') {
      return body as Readiness;
    }
    throw new Error(`it answers ${answer.status}, but not as sidekick does`);
  } catch (error) {
    throw new SidekickError('SK_NODE_UNREACHABLE', 'the node does not answer', {
      why: `${url}: ${describeError(error)}`,
      next: 'start it with `sidekick demo` or `sidekick serve`, or name its address with --http host:port or --server URL',
      cause: error,
    });
  }
}
