/** What the HTTP server needs from the rest of a node. */
import type { FileHandle } from 'node:fs/promises';
import type { CallFilter, CallRow, StoredCallEvent } from '../store/types';

export interface LinkState {
  readonly up: boolean;
  /** One line for people. */
  readonly detail: string;
  /** When it last changed between up and down: milliseconds since the epoch, or an ISO time. */
  readonly since: number | string | Date;
  /** False: without it the node still takes calls. Default true. */
  readonly needed?: boolean;
}

export interface NodeView {
  links(): Readonly<Record<string, LinkState>>;
  /** True once the node has begun to stop: it takes no new calls. */
  stopping(): boolean;
}

export interface CallReader {
  listCalls(filter: CallFilter): Promise<readonly CallRow[]>;
  findCall(callId: string): Promise<CallRow | undefined>;
  callEvents(callId: string): Promise<readonly StoredCallEvent[]>;
}

/** Takes what Microsoft Graph sends by itself. */
export interface GraphNotifications {
  /** False: not now, send it again. Returns at once. */
  take(body: unknown): boolean;
}

/** Reads what the media servers recorded. */
export interface SoundReader {
  /** Undefined: this machine has no such file. The caller closes it. */
  open(mediaServer: string, file: string): Promise<{ readonly file: FileHandle; readonly bytes: number } | undefined>;
}
