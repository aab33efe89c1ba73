/**
 * The embedded media server: what stands in for FreeSWITCH where none is installed. The same SIP, event socket and RTP, as
 * far as drachtio-fsmrf and Sidekick use them; what it does not do is listed in docs/embedded-servers.md.
 */
import { EslServer } from './esl/esl-server';
import { startHeartbeat } from './heartbeat';
import { prepareMusic } from './media/sound-library';
import { SipTrunk } from './sip/trunk';
import { Switchboard } from './switchboard';
import type { EmbeddedMediaServer, MediaServerOptions } from './types';

export type { EmbeddedMediaServer, MediaServerOptions, MediaServerStats, MediaServerTimers } from './types';

/** Opens SIP (UDP and TCP) and the event socket. @throws SK_PORT_TAKEN, and nothing stays open. */
export async function startMediaServer(options: MediaServerOptions): Promise<EmbeddedMediaServer> {
  prepareMusic();
  const board = new Switchboard(options);
  const trunk = await SipTrunk.open(board);
  let esl: EslServer;
  try {
    esl = await EslServer.listen(options.esl.host, options.esl.port, options.esl.secret, board.esl);
  } catch (error) {
    await trunk.close();
    throw error;
  }
  const stopHeartbeat = startHeartbeat(board);
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    stopHeartbeat();
    board.close();
    await board.drained();
    await esl.close();
    await trunk.close();
  };
  return {
    sip: { host: options.sip.host, port: trunk.port },
    esl: { host: options.esl.host, port: esl.port },
    get channels() {
      return board.channels.size;
    },
    stats: () => board.stats(esl.connections),
    close: () => (closed ??= close()),
  };
}
