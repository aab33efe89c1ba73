import { randomBytes } from 'node:crypto';
import type { CarrierCall } from '../../src/embedded/carrier/carrier-call';
import { writeRtp } from '../../src/embedded/rtp/packet';
import { REAL } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';
import { pause, RawTcp, RawUdp, undisturbed } from './hostile-peers';

const PACKETS = 2_000;
const PER_SECOND = 1_000;

/** RTP as it should be, but not from whom it should be; the marker says that a talk begins. */
const FOREIGN: readonly (() => Buffer)[] = [
  () => writeRtp({ payloadType: 8, marker: false, sequence: 1, timestamp: 1, ssrc: 1, payload: randomBytes(160) }),
  () => writeRtp({ payloadType: 8, marker: true, sequence: 9, timestamp: 9, ssrc: 2, payload: randomBytes(160) }),
  () =>
    writeRtp({
      payloadType: 101,
      marker: true,
      sequence: 7,
      timestamp: 7,
      ssrc: 3,
      payload: Buffer.from('018a0320', 'hex'),
    }),
];

/** What is no audio of the call: noise, pieces of packets, other versions and types, RTCP that says goodbye. */
const JUNK: readonly (() => Buffer)[] = [
  () => randomBytes(172),
  () => randomBytes(1_400),
  () => Buffer.alloc(0),
  () => Buffer.from([0x80]),
  () => Buffer.from('80080001', 'hex'),
  () => Buffer.alloc(172, 0xff),
  () => Buffer.from('81cb000112345678', 'hex'),
  () => Buffer.concat([Buffer.from('9f08ffff0000000000000000', 'hex'), randomBytes(20)]),
  () => writeRtp({ payloadType: 77, marker: true, sequence: 1, timestamp: 1, ssrc: 1, payload: randomBytes(160) }),
];

describe('hostile packets on the media side', () => {
  const suite = labSuite({ agents: ['anna'] });

  function mediaPort(call: CarrierCall): number {
    const port = Number(/^m=audio (\d+) /m.exec(call.phone.session.remoteSdp ?? '')?.[1] ?? 0);
    expect(port).toBeGreaterThan(0);
    return port;
  }

  function eventSocket(): { readonly address: string; readonly port: number } {
    const name = Object.keys(suite.lab.node.links()).find((link) => link.startsWith('freeswitch '));
    const [, address, port] = /^freeswitch (\S+):(\d+)$/.exec(name ?? '') ?? [];
    return { address: address ?? '', port: Number(port) };
  }

  // On a real FreeSWITCH the caller hears next to nothing while it lasts; why is not examined yet.
  let stranger: RawUdp;
  beforeEach(async () => {
    stranger = await RawUdp.open();
  });
  afterEach(() => {
    stranger.close();
  });

  const flood =
    (kinds: readonly (() => Buffer)[]) =>
    async (call: CarrierCall): Promise<void> => {
      const port = mediaPort(call);
      const make = (i: number): Buffer => kinds[i % kinds.length]?.() ?? Buffer.alloc(0);
      await stranger.flood(PACKETS, PER_SECOND, { address: '127.0.0.1', port }, make);
      await stranger.flood(PACKETS / 4, PER_SECOND, { address: '127.0.0.1', port: port + 1 }, make);
    };

  it('a flood of audio and digits from a stranger is not heard by anybody', async () => {
    await undisturbed(suite, flood(FOREIGN));
  }, 120_000);

  // FreeSWITCH reads one packet in 20 ms while it meets such packets: the caller is not heard until the flood is over.
  it('a flood of junk on the RTP and RTCP ports of a call does not outlast itself', async () => {
    await undisturbed(suite, flood(JUNK), { heardMeanwhile: REAL.freeswitch === undefined });
  }, 120_000);

  it('noise, wrong passwords and endless lines on the event socket end with their connections', async () => {
    await undisturbed(suite, async () => {
      const at = eventSocket();
      const connections: RawTcp[] = [];
      const open = async (): Promise<RawTcp> => {
        const tcp = await RawTcp.open(at);
        connections.push(tcp);
        return tcp;
      };
      for (let i = 0; i < 20; i++) {
        await (await open()).send(`auth wrong-${i}\n\n`);
        await (await open()).send(randomBytes(500));
        await (await open()).send('api status\n\nbgapi originate null null\n\n');
      }
      const endless = await open();
      for (let i = 0; i < 32 && !endless.closed; i++) {
        await endless.send('x'.repeat(32 * 1024));
      }
      await pause(500);
      for (const tcp of connections) {
        expect(tcp.received).not.toMatch(/\+OK accepted|UP \d+ years/);
        tcp.destroy();
      }
    });
    // The node's own connection still places calls.
    await undisturbed(suite, () => pause(100));
  }, 120_000);
});
