/** What applications get to work with. */
import type { Channel } from '../channel/channel';
import type { ChannelControl } from '../channel/channel-control';
import type { Frame } from '../channel/app-runner';
import type { SoundLibrary } from '../media/sound-library';

export interface AppServices {
  readonly sounds: SoundLibrary;
  readonly control: ChannelControl;
  /** Dials the app's event socket for this channel; undefined if nobody answers there. */
  openSocket(channel: Channel, host: string, port: number, full: boolean): Promise<OpenSocket | undefined>;
  recordingProblem(channel: Channel, path: string, error: unknown): void;
}

export interface OpenSocket {
  readonly closed: boolean;
  close(): void;
}

export interface AppContext {
  readonly channel: Channel;
  readonly arg: string;
  readonly frame: Frame;
  readonly services: AppServices;
}

/** Resolves to the Application-Response, or to nothing for `_none_`. */
export type AppFunction = (context: AppContext) => Promise<string | undefined> | string | undefined;
