/**
 * `npm run bench:teams`: what our side adds between the offer to an agent and his 180, and how long it takes to go on to the next
 * Direct Routing proxy when the first is dead, busy or silent. One call at a time on the embedded servers and the simulated
 * tenant. See docs/benchmarks.md.
 */
import { createServer, type Server } from 'node:net';
import { loadavg } from 'node:os';
import { sleep } from '../src/lib/clock';
import { CallLab, eventually } from '../test/support/call-lab';
import globalSetup from '../test/support/global-setup';
import globalTeardown from '../test/support/global-teardown';
import { demoUsers } from '../src/embedded/teams/users';
import { summarise } from './statistics';

const SIP = 'sip.pstnhub.microsoft.com';
const SIP2 = 'sip2.pstnhub.microsoft.com';
const NUMBER = '+49301000100';

/** How the first proxy fails; `known`: its state was known from OPTIONS before the call. */
interface Case {
  readonly name: string;
  readonly first: 'alive' | 'dead' | 'busy' | 'silent';
  readonly known: boolean;
  readonly calls: number;
}

const CASES: readonly Case[] = [
  { name: 'the first proxy lives', first: 'alive', known: true, calls: 20 },
  { name: 'refuses the connection, known', first: 'dead', known: true, calls: 8 },
  { name: '503, not known yet', first: 'busy', known: false, calls: 4 },
  { name: '503, known', first: 'busy', known: true, calls: 8 },
  { name: 'silent, not known yet', first: 'silent', known: false, calls: 3 },
  { name: 'silent, known', first: 'silent', known: true, calls: 8 },
];

interface Measured {
  /** From `call:offered` to the INVITE at the simulated tenant, and from its 180 to `offer:ringing`, milliseconds. */
  readonly toInvite: number;
  readonly fromRinging: number;
}

function document(first: string, second: string): string {
  const [anna] = demoUsers();
  return JSON.stringify({
    apiVersion: 'sidekick/v1',
    tenants: [{ name: 'bench', country: 'DE', timeZone: 'Europe/Berlin' }],
    trunks: [
      { name: 'carrier', kind: 'carrier', sources: ['127.0.0.0/8'], country: 'DE' },
      {
        name: 'teams',
        kind: 'teams',
        sbcName: 'sbc1.example.com',
        sources: ['127.0.0.0/8'],
        optionsSeconds: 180,
        proxies: [
          { host: SIP, address: first },
          { host: SIP2, address: second },
        ],
      },
    ],
    queues: [{ name: 'support', tenant: 'bench', wrapUpSeconds: 0, members: [{ agent: 'anna' }] }],
    agents: [
      {
        name: 'anna',
        tenant: 'bench',
        signedIn: true,
        endpoints: [{ kind: 'teams', trunk: 'teams', number: anna?.number, entraUserId: anna?.entraUserId }],
      },
    ],
    numbers: [{ number: NUMBER, tenant: 'bench', queue: 'support' }],
  });
}

async function measure(lab: CallLab): Promise<Measured> {
  await lab.readyAll();
  const known = new Set(lab.tenant.calls().map((call) => call.id));
  const call = await lab.dial();
  await lab.story(call, ['offer:ringing']);
  const events = await lab.events(call);
  const at = (kind: string): number => {
    const found = events.findLast((event) => event.kind === kind)?.at;
    return found ?? Number.NaN;
  };
  const taken = lab.tenant.calls().find((one) => !known.has(one.id) && one.ringingAt !== null);
  await call.hangUp();
  await lab.ending(call);
  await eventually('no leg is left', () => (lab.node.open().calls === 0 ? true : undefined), 60_000);
  return {
    toInvite: (taken?.startedAt ?? Number.NaN) - at('call:offered'),
    fromRinging: at('offer:ringing') - (taken?.ringingAt ?? Number.NaN),
  };
}

async function state(lab: CallLab, wanted: readonly string[]): Promise<void> {
  await eventually(
    wanted.join(' or '),
    () => {
      const detail = lab.node.links()['teams teams']?.detail ?? '';
      return wanted.some((one) => detail.includes(`${SIP}: ${one}`)) ? true : undefined;
    },
    60_000,
  );
}

async function run(one: Case): Promise<readonly Measured[]> {
  const results: Measured[] = [];
  // What is not known yet can be measured once per start of a node.
  const starts = one.known ? 1 : one.calls;
  for (let start = 0; start < starts; start++) {
    const silent = one.first === 'silent' && one.known ? await listenSilently() : undefined;
    const lab = await CallLab.start({
      document: ({ teamsProxy }) =>
        document(one.first === 'dead' ? '127.0.0.1:9' : silent ? silent.address : teamsProxy, teamsProxy),
    });
    try {
      if (one.known) {
        if (one.first === 'busy') {
          lab.tenant.misbehave({ what: 'proxy-busy', on: true, proxy: SIP });
          await measure(lab);
        }
        await state(lab, one.first === 'alive' ? ['active'] : ['down']);
        for (let i = 0; i < one.calls; i++) {
          results.push(await measure(lab));
        }
      } else {
        if (one.first === 'busy') {
          lab.tenant.misbehave({ what: 'proxy-busy', on: true, proxy: SIP });
        } else if (one.first === 'silent') {
          lab.tenant.misbehave({ what: 'proxy-silent', on: true, proxy: SIP });
        }
        results.push(await measure(lab));
      }
    } finally {
      await lab.close();
      silent?.server.close();
    }
  }
  return results;
}

/** A port that takes connections and says nothing. */
async function listenSilently(): Promise<{ readonly server: Server; readonly address: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    setTimeout(() => socket.destroy(), 8_000).unref();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, address: `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}` };
}

async function main(): Promise<void> {
  const print = (text: string): boolean => process.stdout.write(`${text}\n`);
  await globalSetup();
  try {
    print('| first proxy | calls | offered → INVITE at Teams p50 / max ms | 180 at Teams → known p50 / max ms |');
    print('|---|---|---|---|');
    for (const one of CASES) {
      const results = await run(one);
      const column = (pick: (m: Measured) => number): string => {
        const figures = summarise(results.map(pick));
        return figures ? `${Math.round(figures.p50)} / ${Math.round(figures.max)}` : '-';
      };
      print(`| ${one.name} | ${results.length} | ${column((m) => m.toInvite)} | ${column((m) => m.fromRinging)} |`);
      await sleep(100);
    }
    print(`load average at the end: ${loadavg()[0]?.toFixed(2) ?? ''}`);
  } finally {
    await globalTeardown();
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
