import { createSocket } from 'node:dgram';
import { RtpSocket } from '../../../src/embedded/rtp/rtp-socket';
import { isSidekickError } from '../../../src/lib/errors';

describe('RTP sockets', () => {
  test('packets go from one to the other with the sender told', async () => {
    const a = await RtpSocket.open({ host: '127.0.0.1' });
    const b = await RtpSocket.open({ host: '127.0.0.1' });
    const came = new Promise<[string, string, number]>((resolve) => {
      b.onPacket((packet, address, port) => {
        resolve([packet.toString(), address, port]);
      });
    });
    a.send(Buffer.from('hello there'), b.port, '127.0.0.1', 5);
    expect(await came).toEqual(['hello', '127.0.0.1', a.port]);
    a.close();
    b.close();
    a.close();
    a.send(Buffer.from('late'), b.port, '127.0.0.1');
    expect(a.closed).toBe(true);
  });

  test('ports are even and within the range; a used-up range is told', async () => {
    const probe = await RtpSocket.open({ host: '127.0.0.1' });
    const base = probe.port;
    probe.close();
    const range = [base, base + 3] as const;
    const open: RtpSocket[] = [];
    try {
      for (;;) {
        open.push(await RtpSocket.open({ host: '127.0.0.1', portRange: range }));
      }
    } catch (error) {
      expect(isSidekickError(error, 'SK_MEDIA_FAILED')).toBe(true);
    }
    expect(open.length).toBeLessThanOrEqual(2);
    expect(open.length).toBeGreaterThan(0);
    for (const socket of open) {
      expect(socket.port % 2).toBe(0);
      expect(socket.port).toBeGreaterThanOrEqual(range[0]);
      expect(socket.port).toBeLessThanOrEqual(range[1]);
      socket.close();
    }
  });

  test('a port taken by someone else is passed over', async () => {
    const probe = await RtpSocket.open({ host: '127.0.0.1' });
    const taken = probe.port;
    probe.close();
    const other = createSocket('udp4');
    await new Promise<void>((resolve) => other.bind(taken, '127.0.0.1', resolve));
    const socket = await RtpSocket.open({ host: '127.0.0.1', portRange: [taken, taken + 40] });
    expect(socket.port).not.toBe(taken);
    socket.close();
    other.close();
  });
});
