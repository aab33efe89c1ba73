import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { silentLog } from '../../../src/lib/log';
import { DrachtioLink } from '../../../src/signaling/drachtio-link';

test('a link that was never asked to connect is closed without a word, so that the fault of before is what is told', () => {
  const link = new DrachtioLink({ host: '127.0.0.1', port: 1, secret: 'x' }, silentLog());
  expect(() => link.close()).not.toThrow();
});

describe('a link to a drachtio-server that is not there', () => {
  it('fails in the time given, and once closed never tries again', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const link = new DrachtioLink({ host: '127.0.0.1', port, secret: 'x' }, silentLog());
    await expect(link.connect(300)).rejects.toMatchObject({ code: 'SK_DRACHTIO_UNREACHABLE' });
    link.close();
    link.close();
    let connections = 0;
    const late = createServer((socket) => {
      connections++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => late.listen(port, '127.0.0.1', resolve));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await new Promise((resolve) => late.close(resolve));
    expect(connections).toBe(0);
  });
});
