import { EventEmitter } from 'node:events';
import { silentLog } from '../../../src/lib/log';
import { isFailure } from '../../../src/signaling/bye-reason';
import { relayReinvites } from '../../../src/signaling/reinvite';
import type { SipDialog } from '../../../src/signaling/srf';

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
