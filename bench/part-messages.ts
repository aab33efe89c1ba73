/** What the benchmark and the processes it started say to each other. */
import type { SettingValues } from '../src/config/settings';
import type { MediaServerOptions } from '../src/embedded/media-server/media-server';
import type { SipServerOptions } from '../src/embedded/sip-server/sip-server';

export type PartOrder =
  | { readonly part: 'sip'; readonly options: Omit<SipServerOptions, 'log'> }
  | { readonly part: 'media'; readonly options: Omit<MediaServerOptions, 'log'> }
  | { readonly part: 'node'; readonly env: SettingValues };

export type PartMessage =
  | { readonly kind: 'start'; readonly order: PartOrder }
  /** `collect`: collect garbage first, so that memory figures hold only what is in use. */
  | { readonly kind: 'stats'; readonly collect: boolean }
  | { readonly kind: 'stop' };

export interface PartStats {
  readonly own: Readonly<Record<string, number>>;
  /** How late the event loop was since the last question, milliseconds. */
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
  readonly heapMb: number;
}

export type PartReply =
  | { readonly kind: 'ready'; readonly info: Readonly<Record<string, unknown>> }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'stats'; readonly stats: PartStats };
