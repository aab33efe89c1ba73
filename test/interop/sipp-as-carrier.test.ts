import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { PCMA } from '../../src/embedded/rtp/g711';
import { ToneGenerator } from '../../src/embedded/rtp/tone';
import type { CallRow } from '../../src/store';
import { AGENT_TONES, CALLER_TONE, eventually, SUPPORT } from '../support/call-lab';
import type { CallLab } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';
import { describeIf, installed } from './peers/installed';
import { peerRoom } from './peers/peer-process';
import { RtpEar } from './peers/rtp-ear';
import { runSipp, startSipp } from './peers/sipp';

const ANNA = AGENT_TONES['anna'] ?? 0;
const UNKNOWN = '+49301999999';

/** Waits until the presence from the call before is over: the lab forgets after each test that it was ours. */
async function available(lab: CallLab, name: string): Promise<void> {
  await eventually(`${name} available`, async () => {
    const { presence } = await lab.agent(name);
    return typeof presence !== 'string' && presence.availability === 'Available' ? true : undefined;
  });
}

/** Rows of all calls once `count` have come and ended, newest first. */
async function ended(lab: CallLab, count: number): Promise<readonly CallRow[]> {
  return await eventually(`${count} ended calls`, async () => {
    const calls = await lab.calls();
    return calls.length >= count && calls.every((call) => call.endedAt !== undefined) ? calls : undefined;
  });
}

async function lastEnd(lab: CallLab, before: number): Promise<unknown> {
  const [last] = await ended(lab, before + 1);
  return { result: last?.result, reason: last?.reason };
}

function heardFromCaller(lab: CallLab): number {
  const call = lab.tenant.calls({ agent: 'anna' }).at(-1);
  return call?.heardTones.find((tone) => tone.hz === CALLER_TONE)?.ms ?? 0;
}

describeIf(installed('sipp'))('sipp as a carrier', () => {
  const room = peerRoom();
  const suite = labSuite({ agents: ['anna'] });
  let before = 0;
  beforeEach(async () => {
    await available(suite.lab, 'anna');
    before = (await suite.lab.calls()).length;
  });

  describe.each(['udp', 'tcp'] as const)('over %s', (over) => {
    const base = () => ({ target: suite.lab[over], number: SUPPORT });

    it('calls, is answered, talks to an agent and hangs up; both are heard', async () => {
      const { lab } = suite;
      const ear = await RtpEar.open(room, CALLER_TONE, [ANNA]);
      await runSipp(room, { ...base(), scenario: 'call', pauseMs: 2_500, audioPort: ear.port });
      expect(await lastEnd(lab, before)).toEqual({ result: 'success', reason: 'caller-hung-up' });
      expect(ear.heardMs(ANNA)).toBeGreaterThan(500);
      expect(heardFromCaller(lab)).toBeGreaterThan(500);
      expect(ear.report()).toMatchObject({ lost: 0, duplicates: 0, unexpectedPayload: 0 });
    });

    it('gives up before the answer: nobody is rung in vain', async () => {
      const { lab } = suite;
      const offers = lab.tenant.calls().length;
      await runSipp(room, { ...base(), scenario: 'cancel' });
      await lab.expectNothingLeft();
      for (const row of (await lab.calls()).slice(0, -before || undefined)) {
        expect(row.result).toBe('abandoned');
      }
      expect(
        lab.tenant
          .calls()
          .slice(offers)
          .every((call) => call.state === 'ended'),
      ).toBe(true);
    });

    it('hangs up while an agent rings: the ringing stops', async () => {
      const { lab } = suite;
      lab.tenant.setScript('anna', { kind: 'ring-out' });
      await runSipp(room, { ...base(), scenario: 'call', pauseMs: 800 });
      expect(await lastEnd(lab, before)).toEqual({ result: 'abandoned', reason: 'caller-gave-up-ringing' });
      await lab.expectNothingLeft();
      expect(lab.tenant.calls({ agent: 'anna' }).at(-1)).toMatchObject({ state: 'ended', status: 487 });
    });

    it('holds and takes back', async () => {
      const { lab } = suite;
      const ear = await RtpEar.open(room, CALLER_TONE, [ANNA]);
      await runSipp(room, { ...base(), scenario: 'hold', pauseMs: 1_500, audioPort: ear.port });
      expect(await lastEnd(lab, before)).toMatchObject({ result: 'success' });
      // Three pauses, of which the one on hold is silent toward the carrier.
      expect(ear.heardMs(ANNA)).toBeGreaterThan(1_500);
      expect(ear.heardMs(ANNA)).toBeLessThan(3_300);
    });

    it('refreshes the session by itself', async () => {
      await runSipp(room, { ...base(), scenario: 'session-timer', pauseMs: 700 });
      expect(await lastEnd(suite.lab, before)).toMatchObject({ result: 'success' });
    });

    it('asks for health by OPTIONS', async () => {
      expect(await runSipp(room, { ...base(), scenario: 'options', calls: 5 })).toMatchObject({ succeeded: 5 });
    });

    it.each([
      ['a number nobody has: 404', UNKNOWN, 'refused', { status: 404, pattern: 'SIP/2.0 404' }],
      [
        'no SDP in the INVITE: 488 with the reason',
        SUPPORT,
        'refused-without-sdp',
        { status: 488, pattern: 'Warning: 399' },
      ],
    ])('%s', async (_, number, scenario, words) => {
      await runSipp(room, { ...base(), number, scenario, words });
      expect(await suite.lab.calls()).toHaveLength(before);
    });
  });

  it('sends audio of its own: the agent hears it', async () => {
    const file = path.join(room.folder(), 'tone.pcma');
    writeFileSync(file, PCMA.encode(new ToneGenerator([CALLER_TONE]).next(8_000)));
    await runSipp(room, {
      target: suite.lab.udp,
      number: SUPPORT,
      scenario: 'speaks',
      words: { file },
      pauseMs: 2_500,
    });
    expect(heardFromCaller(suite.lab)).toBeGreaterThan(500);
    expect(await lastEnd(suite.lab, before)).toMatchObject({ result: 'success' });
  });

  it('loses messages in both directions: every call comes through all the same', async () => {
    const { lab } = suite;
    const result = await runSipp(room, {
      ...{ target: lab.udp, number: SUPPORT, scenario: 'call' },
      ...{ calls: 20, perSecond: 10, pauseMs: 1_000, lostPercent: 15, timeoutSeconds: 60 },
    });
    expect(result).toMatchObject({ succeeded: 20, failed: 0 });
    expect(result.retransmissions).toBeGreaterThan(5);
    expect((await ended(lab, before + 20)).length).toBe(before + 20);
  }, 90_000);

  // Over UDP only: sipp 3.6 itself aborts when a 200 comes again over TCP while it pauses.
  it('sends its ACK late: the 200 comes again until then, and the call stands', async () => {
    const { lab } = suite;
    const run = await runSipp(room, { target: lab.udp, number: SUPPORT, scenario: 'late-ack', pauseMs: 1_800 });
    expect(run.received(/^SIP\/2\.0 200 [^]*^CSeq: 1 INVITE/m)).toBeGreaterThanOrEqual(2);
    expect(await lastEnd(lab, before)).toMatchObject({ result: 'success' });
  });

  it('never acknowledges the answer: the call is given up, and its agent is free', async () => {
    const { lab } = suite;
    await runSipp(room, { target: lab.udp, number: SUPPORT, scenario: 'no-ack', timeoutSeconds: 50 });
    expect(await lastEnd(lab, before)).toEqual({ result: 'upstream-error', reason: 'no-ack' });
    await lab.expectNothingLeft();
    expect((await lab.agent('anna')).state).toBe('ready');
  }, 60_000);
});

describeIf(installed('sipp'))('sipp as a carrier with many calls', () => {
  const room = peerRoom();
  const suite = labSuite({ agents: ['anna', 'ben', 'clara', 'david', 'emma'] });

  it.each(['udp', 'tcp'] as const)(
    'sixty calls at twenty per second over %s: all are answered',
    async (over) => {
      const { lab } = suite;
      const before = (await lab.calls()).length;
      const result = await runSipp(room, {
        ...{ target: lab[over], number: SUPPORT, scenario: 'call' },
        ...{ calls: 60, perSecond: 20, pauseMs: 3_000 },
      });
      expect(result).toMatchObject({ succeeded: 60, failed: 0 });
      const rows = (await ended(lab, before + 60)).slice(0, 60);
      expect(rows.filter((row) => row.result !== 'success' && row.result !== 'abandoned')).toEqual([]);
      expect(rows.filter((row) => row.result === 'success').length).toBeGreaterThanOrEqual(5);
    },
    60_000,
  );
});

describeIf(installed('sipp'))('sipp as a carrier at the limit of its trunk', () => {
  const room = peerRoom();
  const suite = labSuite({ agents: ['anna'], carrier: { maxCalls: 2 } });

  it.each(['udp', 'tcp'] as const)('the third call over %s gets 503 with Retry-After, the two go on', async (over) => {
    const { lab } = suite;
    const base = { target: lab[over], number: SUPPORT };
    const two = await startSipp(room, { ...base, scenario: 'call', calls: 2, pauseMs: 3_000 });
    await eventually('two calls', () => (lab.node.open().calls === 2 ? true : undefined));
    const words = { status: 503, pattern: 'Retry-After: [1-9]' };
    await runSipp(room, { ...base, scenario: 'refused', words, calls: 3, perSecond: 20 });
    expect(await two.done).toMatchObject({ succeeded: 2 });
    await lab.expectNothingLeft();
    await runSipp(room, { ...base, scenario: 'call', pauseMs: 300 });
  });
});
