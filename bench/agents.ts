/** Simulated agents behind a Direct Routing proxy: TLS, SRTP, a 180 and a 200; no rule is checked here, only time. */
import { formatAudio, parseAudio } from '../src/embedded/rtp/sdp';
import type { Direction } from '../src/embedded/rtp/sdp';
import { newSdesKey } from '../src/embedded/rtp/srtp';
import type { IncomingSession } from '../src/embedded/sip/types';
import { parseNameAddr, parseUri } from '../src/embedded/sip/uri';
import type { CallTrace } from './call-trace';
import { MarkedAudio } from './marked-audio';
import type { Peers } from './peers';

const HOST = '127.0.0.1';

/** What every agent does with the next calls. */
export interface AgentPlan {
  readonly answerAfterMs: number;
  readonly withAudio: boolean;
}

/** One call at an agent. */
export class AgentCall {
  readonly trace: CallTrace;
  audio: MarkedAudio | undefined;
  readonly #session: IncomingSession;

  constructor(session: IncomingSession, trace: CallTrace) {
    this.#session = session;
    this.trace = trace;
  }

  get live(): boolean {
    return this.#session.state !== 'ended';
  }

  hangUp(): void {
    if (this.#session.state === 'confirmed') {
      this.trace.agentByeSentAt = performance.now();
      this.#session.bye().catch(() => {
        this.#session.close(); // Their BYE crossed ours: over either way.
      });
    }
  }
}

export class AgentFloor {
  plan: AgentPlan = { answerAfterMs: 0, withAudio: true };
  /** Calls that are ringing or up, by the caller's number. */
  readonly calls = new Map<string, AgentCall>();
  /** Called for every INVITE as it arrives. */
  onInvite: ((call: AgentCall, at: number) => void) | undefined;
  /** INVITEs that no caller of this run belongs to. */
  strangers = 0;
  readonly #peers: Peers;

  constructor(peers: Peers) {
    this.#peers = peers;
    peers.teams.onInvite((session) => {
      this.#invited(session, performance.now());
    });
  }

  #invited(session: IncomingSession, at: number): void {
    const uri = parseNameAddr(session.invite.get('from') ?? '')?.uri;
    const number = (uri === undefined ? undefined : parseUri(uri)?.user) ?? '';
    const trace = this.#peers.traces.find(number);
    if (!trace) {
      this.strangers++;
      session.reject(480);
      return;
    }
    trace.agentInviteAt ??= at;
    trace.offers++;
    const call = new AgentCall(session, trace);
    this.calls.set(number, call);
    session.onEnd((end) => {
      if (end.by === 'remote') {
        trace.agentByeReceivedAt = performance.now();
      }
      call.audio?.close();
      if (this.calls.get(number) === call) {
        this.calls.delete(number);
      }
      trace.events.emit('agent-ended');
    });
    this.onInvite?.(call, at);
    trace.events.emit('offered');
    this.#answer(session, call).catch(() => {
      session.reject(500);
    });
  }

  async #answer(session: IncomingSession, call: AgentCall): Promise<void> {
    const { plan } = this;
    void session.progress(180).catch(() => undefined); // The caller may have left.
    const audio = plan.withAudio ? await MarkedAudio.open(this.#peers.pacer, this.#peers.parties) : undefined;
    call.audio = audio;
    if (plan.answerAfterMs > 0) {
      await new Promise((resolve) => setTimeout(resolve, plan.answerAfterMs));
    }
    if (session.state !== 'early') {
      audio?.close();
      return;
    }
    const offer = parseAudio(session.remoteSdp ?? '');
    const remote = offer.crypto[0];
    if (!remote) {
      session.reject(488);
      return;
    }
    const local = newSdesKey(remote.tag);
    const direction: Direction = 'sendrecv';
    const sdp = formatAudio({
      address: HOST,
      port: audio?.port ?? this.#peers.sinkPort,
      profile: 'RTP/SAVP',
      codecs: [{ name: 'PCMA', payloadType: 8, rate: 8000 }],
      ...(offer.telephoneEvent === undefined ? {} : { telephoneEvent: offer.telephoneEvent }),
      direction,
      crypto: [local],
      ptime: 20,
      connectionHold: false,
      origin: { username: '-', sessionId: '1', version: 1, address: HOST },
    });
    const accepted = session.accept(sdp);
    call.trace.agentAnsweredAt = performance.now();
    call.trace.events.emit('agent-answered');
    audio?.start({ address: offer.address, port: offer.port, keys: { local, remote } });
    accepted.catch(() => undefined); // No ACK: the session ends by itself.
  }
}
