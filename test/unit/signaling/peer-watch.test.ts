import { X509Certificate } from 'node:crypto';
import pino from 'pino';
import { teamsSettings } from '../../../src/config/documents/trunk-settings';
import { makeTestAuthority } from '../../../src/embedded/tls/test-authority';
import type { TestAuthority } from '../../../src/embedded/tls/test-authority';
import { readCertificates } from '../../../src/lib/certificate-check';
import type { ServerGreeting } from '../../../src/lib/tls-hello';
import { judgePeer, PeerWatch } from '../../../src/signaling/teams/peer-watch';
import { teamsTrunk } from '../../../src/signaling/teams/teams-trunk';
import { ManualClock, settle } from '../../support/manual-clock';

const SIP = 'sip.pstnhub.microsoft.com';
const HOUR = 3_600_000;

let authority: TestAuthority;
let genuine: ServerGreeting;
let other: ServerGreeting;

beforeAll(async () => {
  authority = await makeTestAuthority();
  const greeting = async (names: string[]): Promise<ServerGreeting> => ({
    suite: 0xc030,
    certificates: readCertificates((await authority.issue(names)).cert),
    proven: true,
  });
  genuine = await greeting([SIP, 'sip2.pstnhub.microsoft.com']);
  other = await greeting(['shop.example.com']);
});

describe('what a proxy shows', () => {
  const judge = (greeting: ServerGreeting, more: Partial<Parameters<typeof judgePeer>[2]> = {}) =>
    judgePeer(greeting, SIP, { at: Date.now(), anyRoot: false, roots: readCertificates(authority.ca), ...more });

  it('its name, the proof of its key and a chain to a listed root: it is who it says', () => {
    expect(judge(genuine)).toBeUndefined();
  });

  it('another name, or none that is proven, is an impostor’s', () => {
    expect(judge(other)).toEqual({ text: `${SIP} is not covered by shop.example.com`, impostor: true });
    expect(judge({ ...genuine, proven: false })).toMatchObject({ impostor: true });
    expect(judge({ ...genuine, certificates: [] })).toMatchObject({ impostor: true });
  });

  it('another root is an alarm and no more: drachtio refuses by chain.pem, which may know a newer one', () => {
    expect(judge(genuine, { roots: [] })).toMatchObject({ impostor: false });
    expect(judge(genuine, { roots: [], anyRoot: true })).toBeUndefined();
    // The list of Microsoft, as it comes with Node.
    expect(judgePeer(genuine, SIP, { at: Date.now(), anyRoot: false })).toMatchObject({ impostor: false });
  });

  it('an end that has passed is an alarm, one that comes is not', () => {
    const end = Date.parse(new X509Certificate(genuine.certificates[0]?.raw ?? '').validTo);
    expect(judge(genuine, { at: end - 86_400_000 })).toBeUndefined();
    expect(judge(genuine, { at: end + 1 })).toMatchObject({ impostor: false, text: /expired on/ });
  });
});

describe('the watch over proxies', () => {
  function watch(shown: (host: string) => ServerGreeting | undefined | Promise<ServerGreeting>) {
    const clock = new ManualClock(Date.now());
    const lines: Record<string, unknown>[] = [];
    const trusted = new Map<string, boolean>();
    const asked: string[] = [];
    const state = { addresses: ['52.112.0.1', '52.112.0.2'], changes: 0 };
    const peers = new PeerWatch({
      clock,
      log: pino(
        { level: 'warn' },
        { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) },
      ),
      metrics: {
        teamsPeerTrusted: (_trunk, proxy, yes) => trusted.set(proxy, yes),
        teamsPeerGone: (_trunk, proxy) => trusted.delete(proxy),
      },
      names: { get: () => ({ addresses: state.addresses, at: 0, tookMs: 1, failure: undefined }) },
      onChange: () => state.changes++,
      greet: async ({ host, serverName }) => {
        asked.push(`${serverName}@${host}`);
        return shown(host);
      },
    });
    const trunk = teamsTrunk(
      't1',
      'teams',
      teamsSettings.parse({ sbcName: 'sbc.example.com', proxies: [{ host: SIP, port: 5061 }] }),
    );
    return { clock, peers, lines, trusted, asked, state, trunk };
  }

  it('looks at every address that the name leads to, each hour, and at a new one within a minute', async () => {
    const w = watch(() => genuine);
    w.peers.load([w.trunk]);
    await w.clock.advance(0);
    expect(w.asked).toEqual([`${SIP}@52.112.0.1`, `${SIP}@52.112.0.2`]);
    await w.clock.advance(HOUR / 2);
    expect(w.asked).toHaveLength(2);
    w.state.addresses = ['52.112.0.2', '52.112.0.3'];
    await w.clock.advance(60_000);
    expect(w.asked.slice(2)).toEqual([`${SIP}@52.112.0.3`]);
    await w.clock.advance(HOUR / 2);
    expect(w.asked.slice(3)).toEqual([`${SIP}@52.112.0.2`]);
    w.peers.close();
    expect(w.clock.pending).toBe(0);
  });

  it('one address with another’s certificate: alarm, metric, no calls; and calls again when it is gone from DNS', async () => {
    const w = watch((host) => (host === '52.112.0.2' ? other : genuine));
    w.peers.load([w.trunk]);
    await w.clock.advance(0);
    expect(w.peers.why('teams', SIP)).toBe(`${SIP} is not covered by shop.example.com`);
    expect([...w.trusted]).toEqual([[SIP, false]]);
    // No public root vouches for the certificates of this test: told for both, and no more than told for the first.
    expect(w.lines).toMatchObject([
      { event: 'teams_peer_untrusted', at: '52.112.0.1', calls: true },
      { event: 'teams_peer_untrusted', at: '52.112.0.2', calls: false },
    ]);
    w.state.addresses = ['52.112.0.1'];
    await w.clock.advance(60_000);
    expect(w.peers.why('teams', SIP)).toBeUndefined();
    expect(w.state.changes).toBe(2);
    w.peers.close();
  });

  it('what cannot be seen from here counts as nothing', async () => {
    const w = watch(() => undefined);
    w.peers.load([w.trunk]);
    await w.clock.advance(0);
    expect(w.peers.why('teams', SIP)).toBeUndefined();
    expect([...w.trusted]).toEqual([]);
    expect(w.lines.map((line) => line['event'])).toEqual(Array(2).fill('teams_peer_not_read'));
    w.peers.close();
  });

  it('an SBC in front is not Microsoft, and a trunk that is gone is no longer told of', async () => {
    const w = watch(() => genuine);
    w.peers.load([{ ...w.trunk, form: 'behind-sbc' }]);
    await w.clock.advance(0);
    expect(w.asked).toEqual([]);
    w.peers.load([w.trunk]);
    await w.clock.advance(0);
    await settle();
    expect([...w.trusted.keys()]).toEqual([SIP]);
    w.peers.load([]);
    expect([...w.trusted]).toEqual([]);
    w.peers.close();
  });

  it('a trunk that comes while others are looked at is not left for a minute, and one that goes meanwhile is not told of', async () => {
    const looks: (() => void)[] = [];
    const w = watch(
      () =>
        new Promise((resolve) => {
          looks.push(() => {
            resolve(other);
          });
        }),
    );
    const end = async (): Promise<void> => {
      looks.shift()?.();
      await w.clock.advance(0);
    };
    w.state.addresses = ['52.112.0.1'];
    w.peers.load([w.trunk]);
    await w.clock.advance(0);
    w.peers.load([{ ...w.trunk, name: 'second' }]);
    await w.clock.advance(0);
    await end();
    expect([...w.trusted]).toEqual([]);
    await end();
    expect([...w.trusted]).toEqual([[SIP, false]]);
    expect(w.peers.why('second', SIP)).toBe(`${SIP} is not covered by shop.example.com`);
    w.peers.close();
    expect(w.clock.pending).toBe(0);
  });
});
