import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { eventually } from '../support/call-lab';
import { demoUsers } from '../../src/embedded/teams/users';
import { CallLab, SUPPORT } from '../support/call-lab';

const anna = demoUsers()[0];

function document(first: string, second: string): string {
  return JSON.stringify({
    apiVersion: 'sidekick/v1',
    tenants: [{ name: 'lab', country: 'DE', timeZone: 'Europe/Berlin' }],
    trunks: [
      { name: 'carrier', kind: 'carrier', sources: ['127.0.0.0/8'], country: 'DE' },
      {
        name: 'teams',
        kind: 'teams',
        sbcName: 'sbc1.example.com',
        proxies: [
          { host: 'sip.pstnhub.microsoft.com', address: first },
          { host: 'sip2.pstnhub.microsoft.com', address: second },
        ],
      },
    ],
    queues: [
      { name: 'support', tenant: 'lab', wrapUpSeconds: 0, ringTimeoutSeconds: 20, members: [{ agent: 'anna' }] },
    ],
    agents: [
      {
        name: 'anna',
        tenant: 'lab',
        signedIn: true,
        endpoints: [{ kind: 'teams', trunk: 'teams', number: anna?.number, entraUserId: anna?.entraUserId }],
      },
    ],
    numbers: [{ number: SUPPORT, tenant: 'lab', queue: 'support' }],
  });
}

describe('a Direct Routing proxy that fails is passed over for the next', () => {
  let lab: CallLab | undefined;
  let dead: Server | undefined;

  afterEach(async () => {
    await lab?.close();
    await new Promise<void>((resolve) => (dead ? dead.close(() => resolve()) : resolve()));
    dead = undefined;
  });

  async function connects(): Promise<void> {
    if (!lab) {
      throw new Error('no lab');
    }
    const call = await lab.dial();
    await eventually('anna is heard', () => (call.heardMs(1100) > 200 ? true : undefined), 20_000);
    await call.hangUp();
    await lab.ending(call);
    await eventually('no leg is left', () => (lab?.node.open().agentLegs === 0 ? true : undefined), 40_000);
  }

  it('when nothing listens at its address', async () => {
    lab = await CallLab.start({ document: ({ teamsProxy }) => document('127.0.0.1:9', teamsProxy) });
    await connects();
  }, 60_000);

  it('when it takes the connection and stays silent', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    dead = server;
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    server.on('connection', (socket) => {
      setTimeout(() => socket.destroy(), 10_000).unref();
    });
    lab = await CallLab.start({ document: ({ teamsProxy }) => document(`127.0.0.1:${port}`, teamsProxy) });
    await connects();
  }, 90_000);
});
