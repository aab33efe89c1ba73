import type { Clock, TimerHandle } from '../lib/clock';
import { describeError } from '../lib/errors';
import type { Log } from '../lib/log';
import type { CallRegistry } from './call-registry';
import type { TransferTarget } from './ports';

/** What somebody asked to be done with a call of this node. */
export interface PendingCommand {
  readonly id: string;
  readonly callId: string;
  readonly kind: 'hangup' | 'transfer';
  readonly args: Readonly<Record<string, unknown>>;
}

export interface CommandStore {
  /** Of calls of this node, oldest first. */
  openCallCommands(): Promise<readonly PendingCommand[]>;
  finishCallCommand(commandId: string, outcome: string): Promise<void>;
}

export interface CommandRunnerDeps {
  readonly store: CommandStore;
  readonly calls: Pick<CallRegistry, 'hangUp' | 'transfer'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A lost hint must not keep a command for longer than this, milliseconds. */
const LOOK_MS = 1_000;

/**
 * Carries out what was asked for calls of this node: `call_commands` rows, each once, with what came of it. A hint makes it look at
 * once; it looks by itself each second.
 */
export class CommandRunner {
  readonly #deps: CommandRunnerDeps;
  readonly #running = new Set<string>();
  #timer: TimerHandle | undefined;
  #looking: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(deps: CommandRunnerDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#schedule();
  }

  /** Looks for no more commands; one look that runs is waited for. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.clear();
    await this.#looking;
  }

  /** There may be a command. Returns at once. */
  look(): void {
    if (this.#stopped) {
      return;
    }
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined;
      if (this.#again) {
        this.#again = false;
        this.look();
      }
    });
  }

  #schedule(): void {
    if (!this.#stopped) {
      this.#timer = this.#deps.clock.setTimeout(() => {
        this.look();
        this.#schedule();
      }, LOOK_MS);
    }
  }

  async #look(): Promise<void> {
    try {
      for (const command of await this.#deps.store.openCallCommands()) {
        if (!this.#running.has(command.id)) {
          this.#running.add(command.id);
          this.#run(command);
        }
      }
    } catch (error) {
      this.#deps.log.warn({ event: 'call_commands_not_read', reason: describeError(error) });
    }
  }

  #run(command: PendingCommand): void {
    const { calls, log } = this.#deps;
    log.info({ event: 'call_command', callId: command.callId, kind: command.kind });
    if (command.kind === 'hangup') {
      this.#finish(command, calls.hangUp(command.callId) ? 'done' : 'the call is not on its node any more');
      return;
    }
    const target = transferTarget(command.args);
    if (!target) {
      this.#finish(command, 'the target of the transfer is none');
      return;
    }
    const known = calls.transfer(command.callId, {
      target,
      progress: (sip) => {
        if (sip >= 200) {
          this.#finish(command, sip < 300 ? 'done' : `refused (${sip}): ${WHY[sip] ?? 'the target was not reached'}`);
        }
      },
    });
    if (!known) {
      this.#finish(command, 'the call is not on its node any more');
    }
  }

  #finish(command: PendingCommand, outcome: string): void {
    this.#deps.store.finishCallCommand(command.id, outcome).then(
      () => {
        this.#running.delete(command.id);
      },
      (error: unknown) => {
        // Stays among those that run: what was done must not be done again when the database is back.
        this.#deps.log.warn({
          event: 'call_command_not_finished',
          commandId: command.id,
          reason: describeError(error),
        });
      },
    );
  }
}

const WHY: Readonly<Record<number, string>> = {
  403: 'the number is not allowed, or no trunk leads there',
  404: 'there is no such target',
  408: 'nobody answered',
  481: 'the call is over',
  486: 'the agent is not free',
  487: 'the caller has left',
  491: 'the call cannot be transferred at this moment',
};

/** Reads a target from a row; undefined for what is none. `refer` comes from agents' platforms only. */
function transferTarget(args: Readonly<Record<string, unknown>>): TransferTarget | undefined {
  const { kind, queueId, agentId, e164 } = args;
  if (kind === 'queue' && typeof queueId === 'string') {
    return { kind, queueId };
  }
  if (kind === 'agent' && typeof agentId === 'string') {
    return { kind, agentId };
  }
  return kind === 'number' && typeof e164 === 'string' ? { kind, e164 } : undefined;
}
