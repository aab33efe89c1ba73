/** What api commands work on. */
import type { AppServices } from '../apps/app-context';
import type { Channel } from '../channel/channel';
import type { ChannelControl, DialplanAction } from '../channel/channel-control';
import type { EventHub } from '../esl/event-hub';

export interface ServerFigures {
  readonly startedAt: number;
  readonly sessionsSinceStart: number;
  readonly peak: number;
  readonly lateTicks: number;
}

/** Switches of `fsctl`. */
export interface ServerSwitches {
  maxSessions: number;
  sessionsPerSecond: number;
  pausedInbound: boolean;
  pausedOutbound: boolean;
}

export interface ApiServices {
  readonly channels: ReadonlyMap<string, Channel>;
  readonly control: ChannelControl;
  readonly apps: AppServices;
  readonly hub: EventHub;
  readonly globals: Map<string, string>;
  readonly switches: ServerSwitches;
  readonly version: string;
  readonly profile: string;
  readonly sipAddress: () => string;
  figures(): ServerFigures;
  extension(name: string): readonly DialplanAction[] | undefined;
  originate(args: string): Promise<string>;
  /** Runs `fn` later, unless the channel or the server ends before. */
  schedule(channel: Channel, ms: number, fn: () => void): void;
}

export type ApiCommand = (args: string, services: ApiServices) => string | Promise<string>;

export const OK = '+OK\n';
export const NO_CHANNEL = '-ERR No such channel!\n';

/** Words of a command, single quotes keep blanks together. */
export function words(args: string): string[] {
  return (args.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^'([^]*)'$/, '$1'));
}
