import { statfs } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { systemClock } from '../lib/clock';
import { describeError } from '../lib/errors';
import { errorCodeOf } from '../lib/errno';
import { silentLog } from '../lib/log';
import { certificatesOf } from '../lib/tls-peer';
import { suitesOf } from '../lib/tls-suites';
import { AppTokens } from '../presence/graph-tokens';
import { DrachtioLink } from '../signaling/drachtio-link';
import type { SipResponse } from '../signaling/srf';
import { greetProxy } from '../signaling/teams/peer-watch';
import { isFromNetwork } from '../signaling/teams/proxy-monitor';
import { migrationStatus, openDatabase, store } from '../store';
import { openEventSocket } from './event-socket';
import type { DoctorDatabase, DoctorPorts, OptionsAnswer, OptionsRequest, SipBench } from './ports';

export interface RealPortsOptions extends Pick<DoctorPorts, 'settings' | 'databaseUrl' | 'env'> {
  /** How long each server gets to answer. */
  readonly timeoutMs: number;
  /** Roots that are trusted beside the public ones. */
  readonly extraRoots: readonly X509Certificate[];
}

export function realPorts({ timeoutMs, extraRoots, ...given }: RealPortsOptions): DoctorPorts {
  return {
    ...given,
    now: () => Date.now(),
    database: (url) => databaseBench(url, timeoutMs),
    sip: async (address) => {
      const link = new DrachtioLink(address, silentLog());
      try {
        await link.connect(timeoutMs);
      } catch (error) {
        link.close();
        throw error;
      }
      return sipBench(link, timeoutMs);
    },
    media: (address) => openEventSocket(address, timeoutMs),
    certificates: ({ host, port }, serverName) => certificatesOf({ host, port, serverName }, timeoutMs),
    suites: ({ host, port }, serverName) => suitesOf({ host, port, serverName }, timeoutMs),
    greet: (peer) => greetProxy(peer, timeoutMs),
    roots: [...extraRoots, ...publicRoots()],
    graphToken: (graph) =>
      new AppTokens(graph, { log: silentLog(), clock: systemClock }, AbortSignal.timeout(timeoutMs)).get(),
    space: async (folder) => {
      try {
        const { bavail, blocks, bsize } = await statfs(folder);
        return { free: bavail * bsize, total: blocks * bsize };
      } catch (error) {
        if (errorCodeOf(error) === 'ENOENT') {
          return undefined;
        }
        throw error;
      }
    },
  };
}

/** Mozilla's list, as it comes with Node. */
export function publicRoots(): X509Certificate[] {
  return rootCertificates.map((pem) => new X509Certificate(pem));
}

function databaseBench(url: string, timeoutMs: number): DoctorDatabase {
  const db = openDatabase({ url, log: silentLog(), max: 2, applicationName: 'sidekick-doctor', patienceMs: timeoutMs });
  return {
    facts: () => store.databaseFacts(db),
    pendingMigrations: () => migrationStatus(url),
    tenants: () => store.loadTenants(db),
    trunks: () => store.loadTrunks(db),
    queues: () => store.loadQueues(db),
    trunkActivity: () => store.trunkActivity(db),
    sealedSecrets: () => store.sealedSecrets(db),
    presenceScopes: () => store.presenceScopes(db),
    presenceAges: () => store.presenceAges(db),
    close: () => db.close(),
  };
}

/**
 * OPTIONS go through drachtio-server, with its address and its certificate, as calls do: Teams and carriers know no other sender.
 * An application that has registered no handler is given no calls, so a look at a busy server takes nothing away from its node.
 */
function sipBench(link: DrachtioLink, timeoutMs: number): SipBench {
  return {
    version: link.state.detail.replace(/^drachtio-server /, ''),
    transports: link.transports,
    options: (request) => askOptions(link, request, timeoutMs),
    close: () => {
      link.close();
    },
  };
}

function askOptions(
  link: DrachtioLink,
  { uri, proxy, headers }: OptionsRequest,
  timeoutMs: number,
): Promise<OptionsAnswer> {
  const began = Date.now();
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve({ kind: 'silent', why: `nothing within ${timeoutMs} ms` });
    }, timeoutMs);
    const finish = (answer: OptionsAnswer): void => {
      clearTimeout(timer);
      resolve(answer);
    };
    const failed = (error: unknown): void => {
      finish({ kind: 'silent', why: describeError(error) });
    };
    try {
      link.srf.request(
        uri,
        { method: 'OPTIONS', headers, ...(proxy === undefined ? {} : { proxy }) },
        (error, request) => {
          if (error) {
            failed(error);
            return;
          }
          request.on('response', (response: SipResponse) => {
            const { status, reason } = response;
            finish(
              isFromNetwork(response)
                ? { kind: 'answered', status, reason, ms: Date.now() - began }
                : { kind: 'silent', why: `${status} ${reason}`.trim() },
            );
          });
        },
      );
    } catch (error) {
      failed(error);
    }
  });
}
