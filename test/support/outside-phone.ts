import { AnsweringPhone } from '../../src/embedded/phone/answering-phone';
import type { AnsweringScript } from '../../src/embedded/phone/answering-phone';
import { SipStack } from '../../src/embedded/sip/stack';
import { UserAgent } from '../../src/embedded/sip/user-agent';
import { CALLER_TONE } from './call-lab';

/** The tone of whoever answers a number outside. */
export const OUTSIDE_TONE = 1_400;

/** Somebody with an ordinary number, reached over the carrier's outbound side. */
export interface OutsidePhone {
  readonly phone: AnsweringPhone;
  readonly port: number;
  close(): Promise<void>;
}

export async function startOutsidePhone(
  script: AnsweringScript,
  {
    hz = OUTSIDE_TONE,
    listenFor = [CALLER_TONE],
  }: { readonly hz?: number; readonly listenFor?: readonly number[] } = {},
): Promise<OutsidePhone> {
  const stack = await SipStack.start({ listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }] });
  const ua = new UserAgent(stack, { userAgent: 'Somebody outside' });
  const phone = new AnsweringPhone({
    host: '127.0.0.1',
    srtp: false,
    sound: { kind: 'tone', hz: [hz] },
    listenFor,
    script,
  }).listen(ua);
  return {
    phone,
    port: stack.listening[0]?.port ?? 0,
    close: async () => {
      phone.close();
      ua.close();
      await stack.close();
    },
  };
}
