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
  const address = httpAddress(context, options);
  const readiness = await readReadiness(address);
  const { queues, calls } = await withDatabase(context, options, async (db) => ({
    queues: await store.queueSummaries(db),
    calls: (await store.listCalls(db, { limit: 10_000 })).length,
  }));
  const ready = readiness.status === 'ready';
  if (
    !printData(context.io, format, {
      http: formatHostPort(address),
      ...readiness,
      calls,
      queues: queues.map(queueJson),
    })
  ) {
    print(context, address, readiness, calls, queues);
  }
  return ready ? 0 : 1;
}

function print(
  { io }: Context,
  address: HostPort,
  readiness: Readiness,
  calls: number,
  queues: readonly QueueSummary[],
): void {
  line(io.stdout, `node\t${formatHostPort(address)}\t${readiness.status}`);
  for (const [name, link] of Object.entries(readiness.links)) {
    line(io.stdout, `link\t${name}\t${link.up ? 'up' : 'DOWN'}\t${link.detail}`);
  }
  line(io.stdout, `calls\t${calls}`);
  for (const queue of queues) {
    line(io.stdout, `queue\t${queue.name}\twaiting ${queue.waiting}\tready ${queue.ready}\tin call ${queue.inCall}`);
  }
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

async function readReadiness(address: HostPort): Promise<Readiness> {
  const host = ['0.0.0.0', '::'].includes(address.host) ? '127.0.0.1' : address.host;
  const url = `http://${formatHostPort({ host, port: address.port })}/readyz`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body = (await answer.json()) as Partial<Readiness>;
    if (typeof body.status === 'string' && typeof body.links === 'object') {
      return body as Readiness;
    }
    throw new Error(`it answers ${answer.status}, but not as sidekick does`);
  } catch (error) {
    throw new SidekickError('SK_NODE_UNREACHABLE', 'the node does not answer', {
      why: `${url}: ${describeError(error)}`,
      next: 'start it with `sidekick demo` or `sidekick serve`, or name its address with --http host:port',
      cause: error,
    });
  }
}
