/** A simulated caller: one INVITE to the number under test, and what becomes of it. */
import { formatAudio, parseAudio } from '../src/embedded/rtp/sdp';
import type { OutgoingSession } from '../src/embedded/sip/types';
import { SipRejected } from '../src/embedded/sip/user-agent';
import type { CallTrace } from './call-trace';
import { MarkedAudio } from './marked-audio';
import type { Peers } from './peers';

const HOST = '127.0.0.1';

export class Caller {
  readonly trace: CallTrace;
  readonly audio: MarkedAudio | undefined;
  /** Resolves when the call is over, however it ended. */
  readonly ended: Promise<void>;
  readonly #peers: Peers;
  readonly #session: OutgoingSession;
  #over = false;

  private constructor(peers: Peers, trace: CallTrace, session: OutgoingSession, audio: MarkedAudio | undefined) {
    this.#peers = peers;
    this.trace = trace;
    this.#session = session;
    this.audio = audio;
    this.ended = new Promise((resolve) => {
      session.onEnd((end) => {
        if (end.by === 'remote' && trace.status === 200) {
          trace.callerByeReceivedAt = performance.now();
        }
        // The answer's promise settles first, so that the status is known.
        setImmediate(() => {
          this.#finish();
          resolve();
        });
      });
    });
    session.answered.then(
      (response) => {
        trace.answeredAt = performance.now();
        trace.status = 200;
        const { address, port } = parseAudio(response.body);
        this.audio?.start({ address, port });
        trace.events.emit('answered');
      },
      (error: unknown) => {
        trace.status = error instanceof SipRejected ? error.status : 0;
        trace.retryAfter = error instanceof SipRejected && error.response?.get('retry-after') !== undefined;
      },
    );
  }

  /** @param withAudio false: nothing is sent, and what arrives is thrown away */
  static async dial(peers: Peers, to: string, withAudio: boolean): Promise<Caller> {
    const audio = withAudio ? await MarkedAudio.open(peers.pacer, peers.parties) : undefined;
    const { target } = peers;
    const uri = `sip:${to}@${target.address}:${target.port}`;
    const sdp = formatAudio({
      address: HOST,
      port: audio?.port ?? peers.sinkPort,
      profile: 'RTP/AVP',
      codecs: [{ name: 'PCMA', payloadType: 8, rate: 8000 }],
      telephoneEvent: 101,
      direction: 'sendrecv',
      crypto: [],
      ptime: 20,
      connectionHold: false,
      origin: { username: '-', sessionId: '1', version: 1, address: HOST },
    });
    const trace = peers.traces.open();
    const session = peers.carrier.invite(uri, { target, from: `<sip:${trace.number}@${HOST}>`, to: `<${uri}>`, sdp });
    return new Caller(peers, trace, session, audio);
  }

  get over(): boolean {
    return this.#over;
  }

  /** BYE, or CANCEL before the answer. */
  hangUp(): void {
    if (this.#over) {
      return;
    }
    if (this.#session.state === 'early') {
      this.#session.cancel();
      return;
    }
    this.trace.callerByeSentAt = performance.now();
    this.#session.bye().catch(() => {
      this.#session.close(); // Their BYE crossed ours: over either way.
    });
  }

  #finish(): void {
    if (!this.#over) {
      this.#over = true;
      this.audio?.close();
      this.#peers.traces.close(this.trace);
      this.trace.events.emit('caller-ended');
    }
  }
}
