import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { requireFreePort } from '../../src/cli/port-owner';
import type { Transport } from '../../src/cli/port-owner';

const HOST = '127.0.0.1';

/** Takes a port and gives it with what gives it back. */
function take(transport: Transport): Promise<{ readonly port: number; readonly release: () => Promise<void> }> {
  return new Promise((resolve, reject) => {
    if (transport === 'udp') {
      const socket = createSocket('udp4').once('error', reject);
      const release = (): Promise<void> => new Promise((done) => socket.close(() => done()));
      socket.bind(0, HOST, () => resolve({ port: socket.address().port, release }));
    } else {
      const server = createServer().once('error', reject);
      const release = (): Promise<void> => new Promise((done) => server.close(() => done()));
      server.listen(0, HOST, () => resolve({ port: (server.address() as AddressInfo).port, release }));
    }
  });
}

test.each([
  ['udp', '--sip'],
  ['tcp', '--sip'],
  ['tcp', '--http'],
] as const)(
  'a %s port of %s that is taken is named with its program, its option and a way out',
  async (transport, option) => {
    const { port, release } = await take(transport);
    const refusal = requireFreePort(transport, { host: HOST, port }, option);
    await expect(refusal).rejects.toMatchObject({
      code: 'SK_PORT_TAKEN',
      message: expect.stringContaining(`${transport} port ${port} on ${HOST} is taken`),
      why: expect.stringContaining(`process ${process.pid} (`),
      next: expect.stringMatching(new RegExp(`^stop that program, or choose another port: ${option} ${HOST}:\\d+$`)),
    });
    await release();
    await expect(requireFreePort(transport, { host: HOST, port }, option)).resolves.toBeUndefined();
  },
);

test('an address that is not of this machine is told apart from a port that is taken', async () => {
  await expect(requireFreePort('udp', { host: '192.0.2.1', port: 5_060 }, '--sip')).rejects.toMatchObject({
    code: 'SK_USAGE',
    next: expect.stringContaining('127.0.0.1:5060'),
  });
});

test('port 0 is any free one', async () => {
  await expect(requireFreePort('tcp', { host: HOST, port: 0 }, '--http')).resolves.toBeUndefined();
});
