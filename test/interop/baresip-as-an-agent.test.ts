import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeTestAuthority } from '../../src/embedded/tls/test-authority';
import { CALLER_TONE, CallLab, eventually, REAL, SUPPORT } from '../support/call-lab';
import { Baresip } from './peers/baresip';
import type { BaresipOptions } from './peers/baresip';
import { describeIf, installed } from './peers/installed';
import { peerRoom } from './peers/peer-process';

const AGENT_TONE = 1_300;

interface PbxTrunk {
  readonly port: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly media: 'rtp' | 'srtp';
}

/** A contact center whose only agent has an extension of a PBX. */
function pbxDocument(trunk: PbxTrunk): string {
  return JSON.stringify({
    apiVersion: 'sidekick/v1',
    tenants: [{ name: 'lab', country: 'DE', timeZone: 'Europe/Berlin' }],
    trunks: [
      { name: 'carrier', kind: 'carrier', tenant: 'lab', sources: ['127.0.0.0/8'], country: 'DE' },
      { name: 'pbx', kind: 'pbx', tenant: 'lab', host: '127.0.0.1', ...trunk },
    ],
    queues: [{ name: 'support', tenant: 'lab', wrapUpSeconds: 0, ringTimeoutSeconds: 8, members: [{ agent: 'otto' }] }],
    numbers: [{ number: SUPPORT, tenant: 'lab', queue: 'support' }],
    agents: [{ name: 'otto', tenant: 'lab', signedIn: true, endpoints: [{ kind: 'pbx', trunk: 'pbx', user: '4711' }] }],
  });
}

async function tlsIdentity(): Promise<string> {
  const authority = await makeTestAuthority({ directory: REAL.tlsDir ?? path.join(tmpdir(), 'sidekick-test-tls') });
  const { key, cert } = await authority.issue(['127.0.0.1', 'localhost']);
  return `${key}${cert}`;
}

describeIf(installed('baresip'))('baresip as the extension of an agent', () => {
  const room = peerRoom();
  let lab: CallLab | undefined;

  afterEach(async () => {
    try {
      await lab?.expectNothingLeft();
    } finally {
      await lab?.close();
      lab = undefined;
    }
  });

  async function start(
    trunk: Omit<PbxTrunk, 'port'>,
    options: Partial<BaresipOptions> = {},
  ): Promise<{ readonly lab: CallLab; readonly phone: Baresip }> {
    const { transport, media } = trunk;
    const phone = await Baresip.start(room, {
      ...{ user: '4711', toneHz: AGENT_TONE, transport, answers: true },
      media: media === 'srtp' ? 'srtp-mand' : 'rtp',
      ...(transport === 'tls' ? { identity: await tlsIdentity() } : {}),
      ...options,
    });
    const port = transport === 'tls' ? phone.tlsPort : phone.sipPort;
    lab = await CallLab.start({ document: () => pbxDocument({ ...trunk, port }) });
    return { lab, phone };
  }

  it.each([
    ['udp', 'rtp'],
    ['tcp', 'rtp'],
    ['udp', 'srtp'],
    ['tcp', 'srtp'],
    ['tls', 'srtp'],
  ] as const)('over %s with %s: answers, both hear each other, the caller hangs up', async (transport, media) => {
    const { lab: running, phone } = await start({ transport, media });
    const call = await running.dial({ listenFor: [AGENT_TONE] });
    await phone.event('CALL_ESTABLISHED');
    await eventually('the caller hears the agent', () => (call.heardMs(AGENT_TONE) > 1_000 ? true : undefined));
    await call.hangUp();
    await phone.event('CALL_CLOSED');
    expect(await running.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
    expect(phone.heard([CALLER_TONE]).get(CALLER_TONE)).toBeGreaterThan(700);
    expect(/^m=audio \d+ RTP\/SAVP /m.test(phone.output)).toBe(media === 'srtp');
    expect(/^a=crypto:\d+ AES_CM_128_HMAC_SHA1_80 inline:/m.test(phone.output)).toBe(media === 'srtp');
  });

  it('hangs up himself: the caller is hung up too', async () => {
    const { lab: running, phone } = await start({ transport: 'udp', media: 'srtp' });
    const call = await running.dial({ listenFor: [AGENT_TONE] });
    await eventually('the caller hears the agent', () => (call.heardMs(AGENT_TONE) > 300 ? true : undefined));
    phone.hangUp();
    expect(await running.ending(call)).toEqual({ result: 'success', reason: 'agent-hung-up' });
    await call.ended;
  });

  it('declines: the caller keeps his place and waits on', async () => {
    const { lab: running, phone } = await start({ transport: 'udp', media: 'rtp' }, { answers: false });
    const call = await running.dial({ listenFor: [AGENT_TONE] });
    await phone.event('CALL_INCOMING');
    phone.hangUp();
    // The row of the agent says so a moment before the call hears of it: the end of an offer travels with the next match.
    await running.told(call, 'offer:closed');
    expect((await running.agent('otto')).state).toBe('not-ready');
    expect(call.state).toBe('confirmed');
    await call.hangUp();
    expect(await running.ending(call)).toEqual({ result: 'abandoned', reason: 'caller-gave-up-waiting' });
  });

  it('rings and the caller gives up: the ringing stops', async () => {
    const { lab: running, phone } = await start({ transport: 'tcp', media: 'srtp' }, { answers: false });
    const call = await running.dial({ listenFor: [AGENT_TONE] });
    await phone.event('CALL_INCOMING');
    await call.hangUp();
    await phone.event('CALL_CLOSED');
    expect(await running.ending(call)).toEqual({ result: 'abandoned', reason: 'caller-gave-up-ringing' });
  });
});
