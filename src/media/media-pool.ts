import { SidekickError } from '../lib/errors';
import type { Log } from '../lib/log';
import { askChannelForKey } from './ask-for-key';
import { MediaServerLink } from './media-server-link';
import type { EslListenOptions, MediaServerAddress } from './media-server-link';
import { Recordings } from './recordings';
import type { CallbackMedia, HeardSound } from '../calls/ports';

/** All FreeSWITCH servers of this node. New calls go to the least loaded one that is up. */
export class MediaPool implements CallbackMedia {
  readonly links: readonly MediaServerLink[];

  readonly recordings: Recordings;

  /** `recordingsFolder`: where this machine has what they record; undefined: where they say. */
  constructor(
    addresses: readonly MediaServerAddress[],
    listen: EslListenOptions,
    srf: unknown,
    log: Log,
    recordingsFolder?: string,
  ) {
    this.links = addresses.map(
      (address, i) =>
        new MediaServerLink(
          address,
          i === 0 ? listen : { ...listen, port: listen.port === 0 ? 0 : listen.port + i },
          srf,
          log,
        ),
    );
    this.recordings = new Recordings(this.links, recordingsFolder, log);
  }

  /** Connects to all; at least one must be there. @throws SK_FREESWITCH_UNREACHABLE */
  async connect(): Promise<void> {
    const results = await Promise.allSettled(this.links.map((link) => link.connect()));
    for (const [i, result] of results.entries()) {
      if (result.status === 'rejected') {
        this.links[i]?.startRetrying();
      }
    }
    const failed = results.find((r) => r.status === 'rejected');
    if (failed && results.every((r) => r.status === 'rejected')) {
      throw failed.reason;
    }
  }

  /** @throws SK_MEDIA_FAILED when no server is up. */
  pick(): MediaServerLink {
    const up = this.links.filter((link) => link.state.up);
    const best = up.reduce<MediaServerLink | undefined>((a, b) => (a && a.load <= b.load ? a : b), undefined);
    if (!best) {
      throw new SidekickError('SK_MEDIA_FAILED', 'no FreeSWITCH server is connected', {
        why: this.links.map((link) => `${link.name}: ${link.state.detail}`).join('; '),
        next: 'calls are refused with 503 until one is back; see /readyz',
      });
    }
    return best;
  }

  /** @throws SK_MEDIA_FAILED for a name that is not in the pool. */
  byName(name: string): MediaServerLink {
    const link = this.links.find((l) => l.name === name);
    if (!link) {
      throw new SidekickError('SK_MEDIA_FAILED', `FreeSWITCH ${name} is not configured on this node`);
    }
    return link;
  }

  /** True for a source address that one of the servers sends SIP from. */
  isMediaSource(address: string): boolean {
    return this.links.some((link) => link.sipAddress?.replace(/:\d+$/, '') === address);
  }

  async bridge(mediaServer: string, callerChannel: string, agentChannel: string): Promise<void> {
    await this.byName(mediaServer).command(`uuid_bridge ${callerChannel} ${agentChannel}`);
  }

  async playTo(mediaServer: string, channel: string, uri: string): Promise<void> {
    await this.byName(mediaServer).command(`uuid_transfer ${channel} 'm:^:endless_playback:${uri}^park:' inline`);
  }

  async park(mediaServer: string, channel: string): Promise<void> {
    await this.byName(mediaServer).command(`uuid_transfer ${channel} park inline`);
  }

  async listenTo(mediaServer: string, file: string): Promise<HeardSound | undefined> {
    return await this.recordings.listenTo(mediaServer, file);
  }

  async askForKey(
    mediaServer: string,
    agentChannel: string,
    promptUri: string,
    timeoutMs: number,
  ): Promise<string | undefined> {
    return await askChannelForKey(this.byName(mediaServer), agentChannel, promptUri, timeoutMs);
  }

  close(): void {
    for (const link of this.links) {
      link.close();
    }
  }
}
