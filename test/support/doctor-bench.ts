import type { X509Certificate } from 'node:crypto';
import { readSettings } from '../../src/config/settings';
import type { DoctorPorts } from '../../src/doctor';
import type { DoctorDatabase, MediaBench, SipBench } from '../../src/doctor/ports';
import { TEAMS_SUITES } from '../../src/lib/tls-suites';
import type { TrunkConfig } from '../../src/store';

export const SBC = 'sbc1.example.com';
/** Of this run, since certificates are made while it lasts; a fixed day would pass them by. */
export const NOW = Date.now();

const trunk = (name: string, kind: TrunkConfig['kind'], settings: object): TrunkConfig =>
  ({ id: name, name, tenantId: undefined, enabled: true, kind, settings }) as unknown as TrunkConfig;

export const TEAMS = trunk('teams', 'teams', {
  form: 'direct',
  cloud: 'commercial',
  sbcName: SBC,
  transport: 'tls',
  media: 'srtp',
  optionsSeconds: 60,
  unansweredDelaySeconds: 20,
});
export const CARRIER = trunk('carrier', 'carrier', {
  sources: ['203.0.113.0/24'],
  digest: { username: 'us', passwordFrom: 'CARRIER_PASSWORD' },
  outbound: { host: 'sip.carrier.example', transport: 'udp' },
});

export const token = (roles: unknown): string => `x.${Buffer.from(JSON.stringify({ roles })).toString('base64url')}.x`;

export interface Faults {
  readonly ports?: Partial<DoctorPorts>;
  readonly database?: Partial<DoctorDatabase>;
  readonly sip?: Partial<SipBench>;
  /** What a command of FreeSWITCH prints instead. */
  readonly api?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

const STATUS = '3 session(s) - peak 9, last 5min 9 \n1000 session(s) max\n';
const API: Readonly<Record<string, string>> = {
  version: 'FreeSWITCH Version 1.11.1',
  'show codec': 'type,name,ikey\ncodec,G.711 alaw,CORE_PCM_MODULE\ncodec,G.711 ulaw,CORE_PCM_MODULE\n',
  status: STATUS,
  'global_getvar recordings_dir': '/recordings',
};

/** An installation in which everything is as it should be, but for the faults. */
export function doctorPorts(
  good: {
    readonly certificates: X509Certificate[];
    /** What the proxies of Microsoft show. */
    readonly microsoft: X509Certificate[];
    readonly roots: X509Certificate[];
  },
  faults: Faults = {},
): DoctorPorts {
  const environment = {
    SIDEKICK_DATABASE_URL: 'postgres://sidekick@db/sidekick',
    SIDEKICK_DRACHTIO: '10.0.0.5:9022:hush',
    SIDEKICK_FREESWITCH: '127.0.0.1:8021:hush',
    SIDEKICK_GRAPH_TENANT_ID: 'example.com',
    SIDEKICK_GRAPH_CLIENT_ID: 'us',
    SIDEKICK_GRAPH_CLIENT_SECRET: 'hush',
    ...faults.env,
  };
  const database: DoctorDatabase = {
    facts: async () => ({ version: '18.4', versionNumber: 180_004, now: NOW }),
    pendingMigrations: async () => ({ pending: [], unknown: [] }),
    tenants: async () => [],
    trunks: async () => [TEAMS, CARRIER],
    queues: async () => [],
    trunkActivity: async () => [{ trunk: 'carrier', lastCallAt: NOW - 60_000, callsToday: 4 }],
    sealedSecrets: async () => [],
    presenceScopes: async () => [],
    presenceAges: async () => [{ queue: 'support', agents: 5, stale: 0, unknown: 0, oldestMs: 2_000 }],
    close: async () => undefined,
    ...faults.database,
  };
  const sip: SipBench = {
    version: '0.9.10',
    transports: [
      { protocol: 'udp', host: '10.0.0.5', port: 5060 },
      { protocol: 'tls', host: '10.0.0.5', port: 5061 },
    ],
    options: async () => ({ kind: 'answered', status: 200, reason: 'OK', ms: 30 }),
    close: () => undefined,
    ...faults.sip,
  };
  const media: MediaBench = {
    api: async (command) => faults.api?.[command] ?? API[command] ?? '-ERR',
    close: () => undefined,
  };
  return {
    now: () => NOW,
    settings: () => readSettings(environment),
    databaseUrl: () => 'postgres://sidekick@db/sidekick',
    database: () => database,
    sip: async () => sip,
    media: async () => media,
    certificates: async () => good.certificates,
    suites: async () => ({ teams: Object.keys(TEAMS_SUITES), others: [], old: [] }),
    greet: async () => ({ suite: 0xc030, certificates: good.microsoft, proven: true }),
    roots: good.roots,
    graphToken: async () => token(['Presence.Read.All']),
    space: async () => ({ free: 80 * 1024 ** 3, total: 100 * 1024 ** 3 }),
    env: (name) => (name === 'CARRIER_PASSWORD' ? 'hush' : undefined),
    ...faults.ports,
  };
}
