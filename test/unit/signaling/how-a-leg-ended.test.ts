import { EventEmitter } from 'node:events';
import { silentLog } from '../../../src/lib/log';
import { isFailure } from '../../../src/signaling/bye-reason';
import { relayReinvites } from '../../../src/signaling/reinvite';
import type { SipDialog } from '../../../src/signaling/srf';
import { settle } from '../../support/manual-clock';

describe('the Reason of a BYE', () => {
  it.each([
    ['Q.850;cause=102;text="abc;No ACK for the 200"', true],
    ['SIP;cause=408;text="ACK timeout"', true],
    ['SIP;cause=503;text="Service Unavailable"', true],
    ['SIP;cause=200;text="Session timer expired"', true],
    ['Q.850;cause=16, SIP;cause=504', true],
    ['Q.850;cause=41;text="Temporary failure"', true],
    ['Q.850;cause=16;text="User hung up"', false],
    ['Q.850 ; cause = 31', false],
    ['SIP;cause=200;text="Call completed elsewhere"', false],
    ['SIP;cause=603', false],
    ['nonsense', false],
    [undefined, false],
  ])('%s: the leg failed: %s', (reason, failed) => {
    expect(isFailure(reason)).toBe(failed);
  });
});

describe('a re-INVITE that the media server does not take', () => {
  const answerTo = async (error: Error): Promise<number> => {
    const dialog = new EventEmitter();
    relayReinvites(
      dialog as unknown as SipDialog,
      { renegotiate: () => Promise.reject(error), setVariable: () => Promise.resolve() },
      { mediaTimeoutMs: 1_000, log: silentLog() },
    );
    return await new Promise((resolve) => {
      const request = { body: 'v=0\r\na=sendrecv\r\n', get: () => undefined };
      dialog.emit('modify', request, { send: (status: number) => resolve(status) });
    });
  };

  it('is told to try again where the media server is at it itself: 491', async () => {
    expect(await answerTo(Object.assign(new Error('Request Pending'), { status: 491 }))).toBe(491);
  });

  it('is refused with 488 otherwise', async () => {
    expect(await answerTo(Object.assign(new Error('Not Acceptable'), { status: 488 }))).toBe(488);
    expect(await answerTo(new Error('the media channel is gone'))).toBe(488);
  });
});

describe('what must not cross a re-INVITE', () => {
  it('waits until the media server has answered it, and the next re-INVITE waits for that', async () => {
    const dialog = new EventEmitter();
    const steps: string[] = [];
    const ends: (() => void)[] = [];
    const step = (name: string): Promise<string> =>
      new Promise((resolve) => {
        steps.push(name);
        ends.push(() => {
          resolve('v=0');
        });
      });
    const end = async (): Promise<void> => {
      ends.shift()?.();
      await settle();
    };
    const reinvites = relayReinvites(
      dialog as unknown as SipDialog,
      { renegotiate: (offer) => step(offer), setVariable: () => Promise.resolve() },
      { mediaTimeoutMs: 1_000, log: silentLog() },
    );
    const reinvite = (body: string): void => {
      dialog.emit('modify', { body, get: () => undefined }, { send: () => undefined });
    };
    reinvite('first');
    const joined = reinvites.between(() => step('join'));
    reinvite('second');
    await settle();
    expect(steps).toEqual(['first']);
    await end();
    expect(steps).toEqual(['first', 'join']);
    await end();
    await joined;
    expect(steps).toEqual(['first', 'join', 'second']);
    await end();
    await expect(reinvites.between(() => Promise.reject(new Error('no such channel')))).rejects.toThrow(
      'no such channel',
    );
    expect(await reinvites.between(() => Promise.resolve('free'))).toBe('free');
  });
});
