/**
 * One process of the system under test: the embedded SIP server, the embedded media server, or a node. Started by the
 * benchmark with `fork`; the first message says which, later ones ask for figures or for the end.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { readSettings } from '../src/config/settings';
import { startMediaServer } from '../src/embedded/media-server/media-server';
import { startSipServer } from '../src/embedded/sip-server/sip-server';
import { createLog, silentLog } from '../src/lib/log';
import { startNode } from '../src/node';
import type { PartMessage, PartOrder, PartReply, PartStats } from './part-messages';

interface Running {
  readonly info: Readonly<Record<string, unknown>>;
  stats(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

async function start(order: PartOrder): Promise<Running> {
  switch (order.part) {
    case 'sip': {
      const sip = await startSipServer({ ...order.options, log: silentLog() });
      return {
        info: { admin: sip.admin, listening: sip.listening },
        stats: () => ({ dialogs: sip.dialogs, transactions: sip.transactions }),
        close: () => sip.close(),
      };
    }
    case 'media': {
      const media = await startMediaServer(order.options);
      return {
        info: { esl: media.esl, sip: media.sip },
        stats: () => ({ ...media.stats() }),
        close: () => media.close(),
      };
    }
    case 'node': {
      const settings = readSettings(order.env);
      const node = await startNode(settings, { log: createLog(settings.logLevel) });
      return {
        info: { transports: node.transports, nodeId: node.nodeId },
        stats: () => ({ ...node.open() }),
        close: () => node.close({ drainMs: 0 }),
      };
    }
  }
}

function main(): void {
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  let running: Running | undefined;
  const reply = (message: PartReply): void => {
    process.send?.(message);
  };
  const stop = (): void => {
    loop.disable();
    const closing = running?.close() ?? Promise.resolve();
    closing.then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('message', (message: PartMessage) => {
    switch (message.kind) {
      case 'start': {
        start(message.order).then(
          (started) => {
            running = started;
            reply({ kind: 'ready', info: started.info });
          },
          (error: unknown) => {
            reply({ kind: 'failed', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
          },
        );
        return;
      }
      case 'stats': {
        if (message.collect) {
          globalThis.gc?.();
        }
        const stats: PartStats = {
          own: running?.stats() ?? {},
          // The histogram's values include its own period of 5 ms.
          loopP99Ms: Math.max(0, loop.percentile(99) / 1e6 - 5),
          loopMaxMs: Math.max(0, loop.max / 1e6 - 5),
          heapMb: process.memoryUsage().heapUsed / 1_048_576,
        };
        loop.reset();
        reply({ kind: 'stats', stats });
        return;
      }
      case 'stop': {
        stop();
      }
    }
  });
  process.on('disconnect', stop);
}

main();
