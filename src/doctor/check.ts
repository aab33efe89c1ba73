/** What a check is and how checks run: in their order, each only if those it needs went well. Pure but for the checks themselves. */
import { describeError, isSidekickError } from '../lib/errors';

export type CheckVerdict = 'ok' | 'warn' | 'fail' | 'skipped';

export interface CheckResult {
  readonly verdict: CheckVerdict;
  /** What was measured, one line. */
  readonly found: string;
  /** What to do about it. */
  readonly fix?: string | undefined;
}

export interface Check<Bench> {
  /** Docs refer to it by this name; it stays. */
  readonly step: string;
  readonly about: string;
  /** Steps that must not have failed before. */
  readonly needs: readonly string[];
  /** What it throws is a failure, too. */
  run(bench: Bench): Promise<readonly CheckResult[]> | readonly CheckResult[];
}

export interface CheckReport {
  /** Counts from 1. */
  readonly number: number;
  readonly step: string;
  readonly about: string;
  /** The worst of the results. */
  readonly verdict: CheckVerdict;
  readonly results: readonly CheckResult[];
}

const SEVERITY: readonly CheckVerdict[] = ['skipped', 'ok', 'warn', 'fail'];

export function worstOf(verdicts: readonly CheckVerdict[]): CheckVerdict {
  const worst = Math.max(...verdicts.map((verdict) => SEVERITY.indexOf(verdict)), 0);
  return SEVERITY[worst] ?? 'fail';
}

/** Runs the checks one after the other; `told` gets each report as soon as it is there. */
export async function runChecks<Bench>(
  checks: readonly Check<Bench>[],
  bench: Bench,
  told: (report: CheckReport) => void,
): Promise<readonly CheckReport[]> {
  const reports: CheckReport[] = [];
  for (const [index, check] of checks.entries()) {
    const missing = reports.find(
      ({ step, verdict, results }) =>
        check.needs.includes(step) && (verdict === 'fail' || (verdict === 'skipped' && isBlocked(results))),
    );
    const results = missing === undefined ? await resultsOf(check, bench) : [blockedBy(missing)];
    const report = {
      number: index + 1,
      step: check.step,
      about: check.about,
      verdict: worstOf(results.map(({ verdict }) => verdict)),
      results,
    };
    reports.push(report);
    told(report);
  }
  return reports;
}

async function resultsOf<Bench>(check: Check<Bench>, bench: Bench): Promise<readonly CheckResult[]> {
  try {
    return await check.run(bench);
  } catch (error) {
    return [failure(error)];
  }
}

/** An error as a result: what and why as measured, its next step as the fix. */
export function failure(error: unknown): CheckResult {
  if (!isSidekickError(error)) {
    return { verdict: 'fail', found: describeError(error) };
  }
  const what = error.message.replace(/ \(SK_[A-Z_]+\)$/, '');
  return { verdict: 'fail', found: error.why === undefined ? what : `${what}: ${error.why}`, fix: error.next };
}

const BLOCKED = 'not tried: ';

function blockedBy({ number, step }: CheckReport): CheckResult {
  return { verdict: 'skipped', found: `${BLOCKED}it needs ${number} ${step}` };
}

/** As opposed to a check that has nothing to look at. */
function isBlocked(results: readonly CheckResult[]): boolean {
  return results.some(({ found }) => found.startsWith(BLOCKED));
}
