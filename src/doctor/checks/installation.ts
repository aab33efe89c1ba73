import { SecretVault } from '../../config/secrets/secret-vault';
import { silentLog } from '../../lib/log';
import type { Check } from '../check';
import { needed } from '../ports';
import type { Bench } from '../ports';

export const settingsCheck: Check<Bench> = {
  step: 'settings',
  about: 'settings of this environment',
  needs: [],
  run(bench) {
    bench.settings = bench.ports.settings();
    const { warnings } = bench.settings;
    return warnings.length === 0
      ? [{ verdict: 'ok', found: 'complete' }]
      : warnings.map((found) => ({ verdict: 'warn', found, fix: 'correct the name; docs/settings.md lists all' }));
  },
};

export const databaseCheck: Check<Bench> = {
  step: 'database',
  about: 'Postgres answers',
  needs: [],
  async run(bench) {
    const database = bench.ports.database(bench.ports.databaseUrl());
    bench.database = database;
    const { version } = await database.facts();
    return [{ verdict: 'ok', found: `Postgres ${version}` }];
  },
};

const LEAST_VERSION = 150_000;

export const versionCheck: Check<Bench> = {
  step: 'postgres-version',
  about: 'version of Postgres',
  needs: ['database'],
  async run(bench) {
    const { version, versionNumber } = await needed(bench.database).facts();
    return versionNumber >= LEAST_VERSION
      ? [{ verdict: 'ok', found: version }]
      : [{ verdict: 'fail', found: version, fix: 'upgrade Postgres to 15 or later' }];
  },
};

const ROUNDS = 9;
/** A match takes a handful of round trips; above this callers wait for the database. */
const SLOW_MS = 20;
const TOO_SLOW_MS = 200;

export const latencyCheck: Check<Bench> = {
  step: 'latency',
  about: 'time of a statement in Postgres',
  needs: ['database'],
  async run(bench) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const began = bench.ports.now();
      await needed(bench.database).facts();
      times.push(bench.ports.now() - began);
    }
    const median = times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
    const verdict = median > TOO_SLOW_MS ? 'fail' : median > SLOW_MS ? 'warn' : 'ok';
    const fix = 'bring the nodes nearer to Postgres, or look at its load';
    return [
      { verdict, found: `${Math.round(median)} ms (median of ${ROUNDS})`, fix: verdict === 'ok' ? undefined : fix },
    ];
  },
};

const SKEW_MS = 500;
const FAR_SKEW_MS = 5_000;

export const clockCheck: Check<Bench> = {
  step: 'clock',
  about: 'this clock against that of Postgres',
  needs: ['database'],
  async run(bench) {
    const began = bench.ports.now();
    const { now } = await needed(bench.database).facts();
    const skew = Math.round(now - (began + bench.ports.now()) / 2);
    const verdict = Math.abs(skew) > FAR_SKEW_MS ? 'fail' : Math.abs(skew) > SKEW_MS ? 'warn' : 'ok';
    const found = `${Math.abs(skew)} ms ${skew < 0 ? 'ahead' : 'behind'}`;
    return [
      { verdict, found, fix: verdict === 'ok' ? undefined : 'let NTP set both clocks: tokens and reports need it' },
    ];
  },
};

export const migrationsCheck: Check<Bench> = {
  step: 'migrations',
  about: 'tables of this version',
  needs: ['database'],
  async run(bench) {
    const { pending, unknown } = await needed(bench.database).pendingMigrations();
    if (pending.length > 0) {
      const found = `${pending.length} missing, from ${pending[0] ?? ''}`;
      return [{ verdict: 'fail', found, fix: 'run `sidekick migrate up`' }];
    }
    return unknown.length > 0
      ? [{ verdict: 'warn', found: `${unknown.length} of a newer version`, fix: 'install that version here too' }]
      : [{ verdict: 'ok', found: 'up to date' }];
  },
};

export const secretsCheck: Check<Bench> = {
  step: 'secrets',
  about: 'passwords that trunks name',
  needs: ['settings', 'migrations'],
  async run(bench) {
    const database = needed(bench.database);
    const vault = new SecretVault({
      load: () => database.sealedSecrets(),
      keys: needed(bench.settings).secretKeys,
      env: bench.ports.env,
      log: silentLog(),
    });
    await vault.load();
    const named = (await database.trunks()).filter(({ enabled }) => enabled).flatMap(passwordsOf);
    if (named.length === 0) {
      return [{ verdict: 'ok', found: 'none is named' }];
    }
    const missing = named.filter(({ from, tenantId }) => vault.resolve(from, tenantId) === undefined);
    if (missing.length > 0) {
      return missing.map(({ trunk, from }) => ({
        verdict: 'fail' as const,
        found: `trunk ${trunk}: ${from} is not there`,
        fix: from.startsWith('secret:')
          ? `run \`sidekick secrets set ${from.slice('secret:'.length)}\` with the key of the nodes`
          : `set ${from} in the environment of every node, or keep it by \`sidekick secrets set\``,
      }));
    }
    return [{ verdict: 'ok', found: `${named.length} found` }];
  },
};

interface NamedPassword {
  readonly trunk: string;
  readonly tenantId: string | undefined;
  readonly from: string;
}

function passwordsOf(trunk: {
  readonly name: string;
  readonly tenantId: string | undefined;
  readonly settings: object;
}): NamedPassword[] {
  const found = JSON.stringify(trunk.settings).matchAll(/"passwordFrom":"([^"]+)"/g);
  return [...found].map(([, from = '']) => ({ trunk: trunk.name, tenantId: trunk.tenantId, from }));
}
