import path from 'node:path';
import { didYouMean } from '../../config/documents/did-you-mean';
import { formatHostPort, logLevel } from '../../config/settings-values';
import { SidekickError } from '../../lib/errors';
import { createLog } from '../../lib/log';
import type { CommonOptions, Context } from '../context';
import { EMBEDDED_PARTS } from '../ports';
import type { EmbeddedPart } from '../ports';
import { optionHostPort, runNode } from '../run-node';

export interface ServeOptions extends CommonOptions {
  readonly embed?: string;
  readonly sip: string;
  readonly http?: string;
}

/** Runs a node in the foreground; logs JSON lines on stderr. */
export async function serve(context: Context, options: ServeOptions): Promise<number> {
  const log = createLog(levelOf(context.io.env['SIDEKICK_LOG_LEVEL']));
  return runNode(context, {
    command: 'serve',
    parts: partsOf(options.embed),
    dataDir: path.resolve(context.io.cwd, options.data),
    sip: optionHostPort('--sip', options.sip),
    http: options.http,
    log,
    onReady: ({ node, embedded, settings }) => {
      log.info(
        {
          event: 'serve:ready',
          nodeId: settings.nodeId,
          http: node.http && formatHostPort(node.http),
          sip: embedded.sip && formatHostPort(embedded.sip),
          teams: embedded.tenant?.baseUrl,
        },
        'sidekick is ready',
      );
    },
  });
}

/** A wrong level is reported with all other settings; until then it logs as usual. */
function levelOf(text: string | undefined): string {
  try {
    return text ? logLevel(text) : 'info';
  } catch {
    return 'info';
  }
}

/** @throws SidekickError SK_USAGE */
export function partsOf(text: string | undefined): EmbeddedPart[] {
  const names = (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const parts = names.map((name) => {
    const part = EMBEDDED_PARTS.find((p) => p === name);
    if (part === undefined) {
      const meant = didYouMean(name, EMBEDDED_PARTS);
      throw new SidekickError('SK_USAGE', `there is no embedded part "${name}"`, {
        why: `the parts are ${EMBEDDED_PARTS.join(', ')}`,
        next: meant === undefined ? 'write --embed postgres,sip,media,teams' : `did you mean ${meant}?`,
      });
    }
    return part;
  });
  return [...new Set(parts)];
}
