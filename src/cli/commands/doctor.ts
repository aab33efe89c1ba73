import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { X509Certificate } from 'node:crypto';
import { readDatabaseUrl, readSettings } from '../../config/settings';
import { realPorts, runDoctor } from '../../doctor';
import type { CheckReport, CheckVerdict } from '../../doctor';
import { readCertificates } from '../../lib/certificate-check';
import { describeError, isSidekickError, SidekickError } from '../../lib/errors';
import type { Context, ListOptions } from '../context';
import { databaseUrlFor } from '../database';
import type { Io } from '../io';
import { line } from '../io';
import { printData } from '../output/json';
import { outputFormat, painted, visible } from '../output/list';
import type { Tone } from '../output/list';
import { colored } from '../output/show-list';
import { findRunning } from '../run-file';

export interface DoctorOptions extends ListOptions {
  readonly ca?: string;
}

const TIMEOUT_MS = 5_000;

/** Exit code 1: a check failed. */
export async function doctor(context: Context, options: DoctorOptions): Promise<number> {
  const { io } = context;
  const format = outputFormat(io, options);
  const people = format === 'table' || format === 'wide';
  const databaseUrl = (): string => databaseUrlFor(context, options);
  const env = withEmbedded(context, options);
  const ports = realPorts({
    databaseUrl,
    settings: () => readSettings({ ...env }, { SIDEKICK_DATABASE_URL: urlIfAny(io, databaseUrl) }),
    env: (variable) => env[variable],
    timeoutMs: context.global.timeoutMs ?? TIMEOUT_MS,
    extraRoots: [...rootsOf(io, options.ca), ...embeddedRoots(context, options)],
  });
  const reports = await runDoctor(ports, (report) => {
    if (people) {
      printReport(io, report, colored(context));
    }
  });
  const failed = reports.filter(({ verdict }) => verdict === 'fail').length;
  if (people) {
    line(io.stdout, failed === 0 ? 'nothing is wrong' : `${failed} of ${reports.length} checks failed`);
  } else if (!printData(io, format, { checks: reports.map(reportJson) })) {
    printPlain(io, reports);
  }
  return failed === 0 ? 0 : 1;
}

/** What the environment says, and where it names no database, what points at the embedded parts that run on the folder. */
function withEmbedded({ io, global }: Context, { data }: DoctorOptions): Io['env'] {
  if ((io.env['SIDEKICK_DATABASE_URL'] ?? '') !== '' || global.target?.named === true) {
    return io.env;
  }
  return { ...findRunning(path.resolve(io.cwd, data))?.settings, ...io.env };
}

/** The authority that certifies the embedded parts, where they are what is looked at. */
function embeddedRoots(context: Context, options: DoctorOptions): X509Certificate[] {
  const { io } = context;
  const root = path.resolve(io.cwd, options.data, 'tls', 'authority', 'ca.pem');
  return withEmbedded(context, options) !== io.env && existsSync(root) ? rootsOf(io, root) : [];
}

/** Where no database is named the settings say so themselves. */
function urlIfAny(io: Io, databaseUrl: () => string): string | undefined {
  try {
    return databaseUrl();
  } catch (error) {
    if (isSidekickError(error, 'SK_NODE_UNREACHABLE')) {
      return io.env['SIDEKICK_DATABASE_URL'] === undefined ? undefined : readDatabaseUrl(io.env);
    }
    throw error;
  }
}

/** @throws SidekickError SK_USAGE */
export function rootsOf(io: Io, file: string | undefined): X509Certificate[] {
  if (file === undefined) {
    return [];
  }
  try {
    const found = readCertificates(readFileSync(path.resolve(io.cwd, file), 'utf8'));
    if (found.length === 0) {
      throw new Error('it holds no certificate');
    }
    return found;
  } catch (error) {
    throw new SidekickError('SK_USAGE', `${file} cannot be used`, {
      why: describeError(error),
      next: 'name a PEM file with certificates',
      cause: error,
    });
  }
}

export const MARKS: Readonly<
  Record<CheckVerdict, { readonly mark: string; readonly word: string; readonly tone?: Tone }>
> = {
  ok: { mark: '✓', word: 'ok', tone: 'good' },
  warn: { mark: '!', word: 'warning', tone: 'watch' },
  fail: { mark: '✗', word: 'FAILED', tone: 'bad' },
  skipped: { mark: '-', word: 'skipped' },
};

function printReport(io: Io, { number, step, about, verdict, results }: CheckReport, color: boolean): void {
  const { mark, word, tone } = MARKS[verdict];
  const head = `${String(number).padStart(2)} ${mark} ${word.padEnd(7)}`;
  line(io.stdout, `${painted(head, color ? tone : undefined)} ${step}: ${about}`);
  for (const { verdict: own, found, fix } of results) {
    const prefix = results.length > 1 ? `${MARKS[own].mark} ` : '';
    line(io.stdout, `             ${prefix}${visible(found)}`);
    if (fix !== undefined) {
      line(io.stdout, `             ${results.length > 1 ? '  ' : ''}fix: ${visible(fix)}`);
    }
  }
}

function printPlain(io: Io, reports: readonly CheckReport[]): void {
  for (const { number, step, results } of reports) {
    for (const { verdict, found, fix } of results) {
      line(io.stdout, [number, step, verdict, visible(found), visible(fix ?? '')].join('\t'));
    }
  }
}

function reportJson({ number, step, about, verdict, results }: CheckReport): unknown {
  return {
    number,
    step,
    about,
    verdict,
    results: results.map(({ verdict: own, found, fix }) => ({ verdict: own, found, fix: fix ?? null })),
  };
}
