import { EventEmitter } from 'node:events';
import type { AgentLegHandlers, AgentLegRequest, LegForecast } from '../../../src/calls/ports';
import { silentLog } from '../../../src/lib/log';
import type { MediaPool } from '../../../src/media/media-pool';
import { AgentLegService, type AgentTrunk } from '../../../src/signaling/agent-legs';
import type { DrachtioLink } from '../../../src/signaling/drachtio-link';
import type { SipRequest, SipResponse } from '../../../src/signaling/srf';
import { settle } from '../../support/manual-clock';

const OFFER = '6f1c7f4e-7a0b-4d52-9d53-0f6d1b0c9a11';
const PBX: AgentTrunk = {
  kind: 'pbx',
  name: 'pbx',
  srtp: false,
  maxCalls: 2,
  host: 'pbx.example',
  port: 5060,
  transport: 'tcp',
  fromDomain: 'acd.example',
  auth: undefined,
};

/** Legs over a media server and a SIP server of which only what was asked of them is of interest. */
class Lab {
  readonly asked: string[] = [];
  readonly heard: string[] = [];
  readonly answers: number[] = [];
  trunk: AgentTrunk = PBX;
  readonly #replies = new Map<number, (reply: string) => void>();
  readonly legs = new AgentLegService({
    link: {
      originateTarget: '127.0.0.1:5060',
      srf: {
        createUAC: (uri: string, { localSdp }: { localSdp: string }) => this.asked.push(`INVITE ${uri} ${localSdp}`),
      },
    } as unknown as DrachtioLink,
    pool: {
      byName: () => ({
        originate: (args: string) => {
          this.asked.push(`originate ${/codec_string=(\w+)/.exec(args)?.[1] ?? ''}`);
          return new Promise<string>((resolve) => this.#replies.set(this.#replies.size + 1, resolve));
        },
        kill: () => this.asked.push('kill'),
      }),
      isMediaSource: () => true,
    } as unknown as MediaPool,
    log: silentLog(),
    trunk: () => this.trunk,
    trunkNamed: (name) => (name === 'pbx' ? this.trunk : undefined),
    mediaTimeoutMs: 1_000,
    metrics: { teamsFailover: () => undefined },
  });

  /** The media server answers its nth `originate`. */
  reply(nth: number, text: string): void {
    this.#replies.get(nth)?.(text);
  }

  mediaInvite(): EventEmitter {
    const request = Object.assign(new EventEmitter(), {
      uri: `sip:leg-${OFFER}@127.0.0.1:5060`,
      source_address: '127.0.0.1',
      body: 'offer',
    });
    const response = { finalResponseSent: false, send: (status: number) => this.answers.push(status) };
    this.legs.takeMediaInvite(request as unknown as SipRequest, response as unknown as SipResponse);
    return request;
  }

  prepare(more: Partial<LegForecast> = {}): void {
    const { offerId, codec, mediaServer, musicUri } = REQUEST;
    this.legs.prepare({ offerId, codec, mediaServer, musicUri, trunk: 'pbx', queueRingTimeoutMs: 20_000, ...more });
  }

  start(): void {
    this.legs.start(REQUEST, {
      ...HANDLERS,
      refused: (outcome) => this.heard.push(outcome),
    });
  }
}

const REQUEST: AgentLegRequest = {
  offerId: OFFER,
  callId: 'c1',
  target: {
    agentId: 'a1',
    agentName: 'Anna',
    endpoint: { kind: 'pbx', trunkId: 't1', trunk: 'pbx', user: '4711' },
    ringTimeoutMs: 15_000,
  },
  caller: { number: undefined, name: undefined },
  queueDisplayName: 'support',
  codec: 'PCMA',
  mediaServer: 'ms',
  musicUri: 'music',
  queueRingTimeoutMs: 20_000,
};
const nothing = (): void => undefined;
const HANDLERS: AgentLegHandlers = {
  ringing: nothing,
  answered: nothing,
  mediaReady: nothing,
  refused: nothing,
  left: nothing,
  over: nothing,
};
const AGENT = 'INVITE sip:4711@pbx.example:5060;transport=tcp offer';

describe('a channel that begins before its offer stands', () => {
  it('calls nobody until then, and then goes on with what was begun', async () => {
    const lab = new Lab();
    lab.prepare();
    lab.mediaInvite();
    await settle();
    expect([lab.asked, lab.answers, lab.legs.open]).toEqual([['originate PCMA'], [], 0]);
    lab.start();
    await settle();
    expect(lab.asked).toEqual(['originate PCMA', AGENT]);
    expect(lab.legs.open).toBe(1);
  });

  it('is waited for where the offer stands first', async () => {
    const lab = new Lab();
    lab.prepare();
    lab.start();
    await settle();
    expect(lab.asked).toEqual(['originate PCMA']);
    lab.mediaInvite();
    expect(lab.asked).toEqual(['originate PCMA', AGENT]);
  });

  it('ends with an offer that comes to nothing, whether its INVITE is here or not', async () => {
    const lab = new Lab();
    lab.prepare();
    lab.mediaInvite();
    lab.legs.forget(OFFER);
    expect([lab.asked, lab.answers]).toEqual([['originate PCMA', 'kill'], [487]]);
    const late = new Lab();
    late.prepare();
    late.legs.forget(OFFER);
    late.mediaInvite();
    await settle();
    expect([late.asked, late.answers, late.legs.open]).toEqual([['originate PCMA', 'kill'], [481], 0]);
  });

  it('is not used where the leg is to be another by now: the next begins when it is gone', async () => {
    const lab = new Lab();
    lab.prepare({ codec: 'PCMU' });
    const request = lab.mediaInvite();
    lab.start();
    await settle();
    expect([lab.asked, lab.answers]).toEqual([['originate PCMU', 'kill'], [487]]);
    request.emit('cancel');
    lab.reply(1, '-ERR ORIGINATOR_CANCEL');
    await settle();
    expect(lab.asked).toEqual(['originate PCMU', 'kill', 'originate PCMA']);
    lab.mediaInvite();
    expect(lab.asked.at(-1)).toBe(AGENT);
    expect(lab.heard).toEqual([]);
  });

  it('that the media server gives up is a leg that failed', async () => {
    const lab = new Lab();
    lab.prepare();
    lab.mediaInvite().emit('cancel');
    lab.start();
    lab.reply(1, '-ERR DESTINATION_OUT_OF_ORDER');
    await settle();
    expect(lab.heard).toEqual(['failed']);
    expect(lab.asked).not.toContain(AGENT);
  });

  it('does not outlive a leg that cannot be started, nor a node that never starts it', async () => {
    const lab = new Lab();
    lab.trunk = { ...PBX, maxCalls: 0 };
    lab.prepare();
    lab.start();
    expect(lab.asked).toEqual(['originate PCMA', 'kill']);

    jest.useFakeTimers();
    try {
      const forgotten = new Lab();
      forgotten.prepare();
      forgotten.mediaInvite();
      jest.advanceTimersByTime(2_999);
      expect(forgotten.answers).toEqual([]);
      jest.advanceTimersByTime(1);
      expect([forgotten.asked, forgotten.answers]).toEqual([['originate PCMA', 'kill'], [487]]);
    } finally {
      jest.useRealTimers();
    }
    await settle();
  });

  it('does not begin where it is not known which trunk is meant', () => {
    const lab = new Lab();
    lab.prepare({ trunk: 'another' });
    expect(lab.asked).toEqual([]);
  });
});
