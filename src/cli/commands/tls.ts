import { createPrivateKey } from 'node:crypto';
import type { KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { hostPort } from '../../config/settings-values';
import { publicRoots } from '../../doctor/real-ports';
import { checkCertificate, namesOf } from '../../lib/certificate-check';
import type { CertificateFinding } from '../../lib/certificate-check';
import { describeError, SidekickError } from '../../lib/errors';
import { certificatesOf } from '../../lib/tls-peer';
import type { TlsPeer } from '../../lib/tls-peer';
import { checkSuites, suitesOf } from '../../lib/tls-suites';
import type { SuiteFacts } from '../../lib/tls-suites';
import { store } from '../../store';
import type { Context, ListOptions } from '../context';
import { withDatabase } from '../database';
import type { Io } from '../io';
import type { ListView } from '../output/list';
import { outputFormat, printList } from '../output/list';
import { colored } from '../output/show-list';
import { MARKS, rootsOf } from './doctor';

export interface TlsOptions extends ListOptions {
  readonly cert?: string;
  readonly key?: string;
  readonly chain?: string;
  readonly connect?: string;
  readonly ca?: string;
  readonly name?: readonly string[];
}

const TIMEOUT_MS = 5_000;

const VIEW: ListView<CertificateFinding> = {
  noun: 'findings',
  columns: [
    {
      title: 'verdict',
      text: ({ verdict }) => `${MARKS[verdict].mark} ${MARKS[verdict].word}`,
      plain: ({ verdict }) => verdict,
      tone: ({ verdict }) => MARKS[verdict].tone,
    },
    { title: 'check', text: ({ check }) => check },
    { title: 'found', text: ({ found }) => found },
    { title: 'fix', text: ({ fix }) => fix ?? '' },
  ],
  name: ({ check }) => check,
  json: ({ check, verdict, found, fix }) => ({ check, verdict, found, fix: fix ?? null }),
  empty: 'there is nothing to say',
};

/** Exit code 1: something is wrong with it. @throws SidekickError SK_USAGE, SK_NODE_UNREACHABLE */
export async function checkTls(context: Context, options: TlsOptions): Promise<number> {
  const { io } = context;
  const format = outputFormat(io, options);
  if ((options.cert === undefined) === (options.connect === undefined)) {
    throw new SidekickError('SK_USAGE', 'it is not clear which certificate to look at', {
      why: 'give either --cert or --connect',
      next: 'write `sidekick tls check --cert sbc-cert.pem --chain chain.pem`',
    });
  }
  const names = options.name ?? (await namesOfTrunks(context, options));
  const certificates =
    options.connect === undefined ? certificatesIn(io, options) : await shownBy(context, options.connect, names[0]);
  const [leaf] = certificates;
  const findings = [
    ...checkCertificate({
      certificates,
      roots: [...rootsOf(io, options.ca), ...publicRoots()],
      // Without any name there is nothing to compare: its own is then good for itself.
      names: names.length > 0 || leaf === undefined ? names : namesOf(leaf).slice(0, 1),
      now: Date.now(),
      privateKey: options.key === undefined ? undefined : readKey(io, options.key),
    }),
    ...(options.connect === undefined ? [] : checkSuites(await suitesOfServer(context, options.connect, names[0]))),
  ];
  printList(io, VIEW, findings, format, colored(context));
  return findings.some(({ verdict }) => verdict === 'fail') ? 1 : 0;
}

/** SBC names of the configuration; none where there is no database to ask. */
async function namesOfTrunks(context: Context, options: TlsOptions): Promise<readonly string[]> {
  try {
    const trunks = await withDatabase(context, options, (db) => store.loadTrunks(db));
    return trunks.flatMap((trunk) =>
      trunk.kind === 'teams' && trunk.settings.form === 'direct' ? [trunk.settings.sbcName] : [],
    );
  } catch (error) {
    context.io.stderr.write(`no names from the configuration (${describeError(error)}); --name gives them\n`);
    return [];
  }
}

function certificatesIn(io: Io, options: TlsOptions): readonly X509Certificate[] {
  return [...rootsOf(io, options.cert), ...rootsOf(io, options.chain)];
}

function readKey(io: Io, file: string): KeyObject {
  try {
    return createPrivateKey(readFileSync(path.resolve(io.cwd, file)));
  } catch (error) {
    throw new SidekickError('SK_USAGE', `${file} holds no private key that can be read`, {
      // The reason of the library alone: it never quotes the key.
      why: describeError(error),
      next: 'name a PEM file with a private key without a passphrase',
    });
  }
}

const shownBy = (context: Context, address: string, name: string | undefined): Promise<readonly X509Certificate[]> =>
  ofServer(context, address, name, certificatesOf);

const suitesOfServer = (context: Context, address: string, name: string | undefined): Promise<SuiteFacts> =>
  ofServer(context, address, name, suitesOf);

/** @throws SidekickError SK_USAGE, SK_NODE_UNREACHABLE */
async function ofServer<T>(
  context: Context,
  address: string,
  name: string | undefined,
  ask: (peer: TlsPeer, timeoutMs: number) => Promise<T>,
): Promise<T> {
  let peer: { readonly host: string; readonly port: number };
  try {
    peer = hostPort(address);
  } catch (error) {
    throw new SidekickError('SK_USAGE', `--connect ${describeError(error)}`, { next: 'write --connect host:port' });
  }
  try {
    const timeoutMs = context.global.timeoutMs ?? TIMEOUT_MS;
    return await ask({ ...peer, ...(name === undefined ? {} : { serverName: name }) }, timeoutMs);
  } catch (error) {
    throw new SidekickError('SK_NODE_UNREACHABLE', `${address} shows no certificate`, {
      why: describeError(error),
      next: 'check the address, and that a TLS server listens there',
      cause: error,
    });
  }
}
