/** `calls hangup` and `calls transfer`: orders to the node that carries the call, which says what came of them. */
import { SidekickError } from '../../lib/errors';
import { sleep } from '../../lib/clock';
import { store } from '../../store';
import type { CallCommand, Database } from '../../store';
import { confirm } from '../confirm';
import type { CommonOptions, Context } from '../context';
import { byWhom, withDatabase } from '../database';
import { findAgent, findQueue } from '../find';
import { line } from '../io';
import { readCall } from './call-trace';

export interface HangupOptions extends CommonOptions {
  readonly yes?: boolean;
}

export interface TransferOptions extends CommonOptions {
  readonly queue?: string;
  readonly agent?: string;
  readonly number?: string;
}

/** How long a node may take to obey, milliseconds: a transfer may ring for long. */
const HANGUP_WAIT_MS = 10_000;
const TRANSFER_WAIT_MS = 90_000;
const POLL_MS = 200;

/** @throws SidekickError SK_NOT_FOUND, SK_NOT_CONFIRMED, SK_CONFLICT, SK_NODE_UNREACHABLE */
export async function hangUpCall(context: Context, id: string, options: HangupOptions): Promise<number> {
  return withDatabase(context, options, async (db) => {
    const { call } = await readCall(db, id);
    if (call.state !== 'ended') {
      await confirm(context, {
        action: `hang up call ${id}`,
        touches: [
          `1 call ends: ${call.callerNumber ?? 'anonymous'} to ${call.dialledNumber}, ${call.state}${call.agent === undefined ? '' : ` with ${call.agent}`}`,
        ],
        yes: options.yes,
      });
    }
    await obey(context, db, { callId: id, kind: 'hangup', args: {}, by: byWhom() }, HANGUP_WAIT_MS);
    line(context.io.stdout, `call ${id} is ended`);
    return 0;
  });
}

/** @throws SidekickError SK_USAGE, SK_NOT_FOUND, SK_CONFLICT when it came to nothing, SK_NODE_UNREACHABLE */
export async function transferCall(context: Context, id: string, options: TransferOptions): Promise<number> {
  const { queue, agent, number } = options;
  const given = [queue, agent, number].filter((target) => target !== undefined);
  if (given.length !== 1) {
    throw new SidekickError('SK_USAGE', 'a call is transferred to one target', {
      why: given.length === 0 ? 'none of --queue, --agent and --number was given' : 'more than one was given',
      next: `sidekick calls transfer ${id} --queue NAME`,
    });
  }
  return withDatabase(context, options, async (db) => {
    const { call } = await readCall(db, id);
    const args =
      queue !== undefined
        ? { kind: 'queue', queueId: (await findQueue(db, queue, call.tenant)).id }
        : agent !== undefined
          ? { kind: 'agent', agentId: (await findAgent(db, agent, call.tenant)).id }
          : { kind: 'number', e164: number };
    await obey(context, db, { callId: id, kind: 'transfer', args, by: byWhom() }, TRANSFER_WAIT_MS);
    line(context.io.stdout, `call ${id} is transferred to ${given[0] ?? ''}`);
    return 0;
  });
}

/** Gives the order and waits for what came of it. */
export async function obey(
  context: Context,
  db: Database,
  command: Pick<CallCommand, 'callId' | 'kind' | 'args' | 'by'>,
  waitMs: number,
): Promise<void> {
  const { commandId } = await store.addCallCommand(db, command);
  const end = Date.now() + (context.global.timeoutMs ?? waitMs);
  for (;;) {
    const { doneAt, outcome } = (await store.findCallCommand(db, commandId)) ?? {};
    if (doneAt !== undefined) {
      if (outcome === 'done') {
        return;
      }
      throw new SidekickError(
        'SK_CONFLICT',
        `the call could not be ${command.kind === 'hangup' ? 'ended' : 'transferred'}`,
        {
          why: outcome ?? 'no reason was given',
          next: `look at it with \`sidekick calls trace ${command.callId}\``,
        },
      );
    }
    if (Date.now() >= end) {
      throw new SidekickError('SK_NODE_UNREACHABLE', 'the node that carries the call does not answer', {
        why: `the order was given and not carried out within ${(context.global.timeoutMs ?? waitMs) / 1000} s`,
        next: 'look at `sidekick nodes list`; the order stands, and is carried out when the node comes to it',
      });
    }
    await sleep(POLL_MS);
  }
}
