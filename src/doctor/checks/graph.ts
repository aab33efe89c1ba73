import type { GraphSettings, Settings } from '../../config/settings';
import { failure } from '../check';
import type { Check, CheckResult } from '../check';
import { needed } from '../ports';
import type { Bench } from '../ports';

interface Registration {
  readonly name: string;
  readonly graph: GraphSettings;
}

function registrations({ graph, graphTenants }: Settings): readonly Registration[] {
  return [
    ...(graph === undefined ? [] : [{ name: 'all others', graph }]),
    ...graphTenants.map((one) => ({ name: one.tenant, graph: one })),
  ].map((one, _index, all) => (all.length === 1 ? { ...one, name: '' } : one));
}

const titled = ({ name }: Registration, found: string): string => (name === '' ? found : `${name}: ${found}`);

async function forEach(
  bench: Bench,
  look: (registration: Registration) => Promise<CheckResult>,
): Promise<readonly CheckResult[]> {
  const all = registrations(needed(bench.settings));
  if (all.length === 0) {
    return [{ verdict: 'ok', found: 'presence is not read' }];
  }
  return Promise.all(
    all.map(async (registration) => {
      const { found, ...rest } = await look(registration).catch(failure);
      return { ...rest, found: titled(registration, found) };
    }),
  );
}

export const graphTokenCheck: Check<Bench> = {
  step: 'graph-token',
  about: 'Entra gives a token for Graph',
  needs: ['settings'],
  run: (bench) =>
    forEach(bench, async ({ graph }) => {
      const began = bench.ports.now();
      await bench.ports.graphToken(graph);
      return { verdict: 'ok', found: `after ${bench.ports.now() - began} ms` };
    }),
};

const READ = ['Presence.Read.All', 'Presence.ReadWrite.All'];
const WRITE = 'Presence.ReadWrite.All';

export const graphPermissionsCheck: Check<Bench> = {
  step: 'graph-permissions',
  about: 'permissions of the app registration',
  needs: ['graph-token'],
  run: (bench) =>
    forEach(bench, async ({ graph }) => {
      const roles = rolesOf(await bench.ports.graphToken(graph));
      const found = roles.length === 0 ? 'the token holds no permission' : roles.join(', ');
      const fix = (role: string): string =>
        `give the app registration the application permission ${role} and an administrator's consent`;
      if (!READ.some((role) => roles.includes(role))) {
        return { verdict: 'fail', found, fix: fix('Presence.Read.All') };
      }
      return graph.writeBack && !roles.includes(WRITE)
        ? { verdict: 'fail', found, fix: `${fix(WRITE)}, or switch SIDEKICK_GRAPH_WRITE_BACK off` }
        : { verdict: 'ok', found };
    }),
};

/** Application permissions of a token; none where it cannot be read. */
function rolesOf(token: string): readonly string[] {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
      roles?: unknown;
    };
    return Array.isArray(claims.roles) ? claims.roles.filter((role) => typeof role === 'string') : [];
  } catch {
    return []; // not a token that can be looked into
  }
}

export const presenceCheck: Check<Bench> = {
  step: 'presence',
  about: 'age of presence',
  needs: ['settings', 'migrations'],
  async run(bench) {
    if (registrations(needed(bench.settings)).length === 0) {
      return [{ verdict: 'ok', found: 'presence is not read' }];
    }
    const database = needed(bench.database);
    const scopes = await database.presenceScopes();
    const failed = scopes.filter(({ error }) => error !== undefined);
    const ages = (await database.presenceAges()).filter(({ agents }) => agents > 0);
    return [
      ...failed.map((scope): CheckResult => ({
        verdict: 'fail',
        found: `${scope.scope}: the last read failed: ${scope.error ?? ''}`,
        fix: 'see docs/presence.md; Graph is asked again by itself',
      })),
      ...(ages.length === 0 ? [{ verdict: 'ok' as const, found: 'no agent whose presence matters is signed in' }] : []),
      ...ages.map(({ queue, agents, stale, unknown, oldestMs }): CheckResult => {
        const oldest = oldestMs === undefined ? 'never read' : `oldest ${(oldestMs / 1000).toFixed(0)} s`;
        return stale + unknown === 0
          ? { verdict: 'ok', found: `${queue}: ${agents} agents, ${oldest}` }
          : {
              verdict: stale + unknown === agents ? 'fail' : 'warn',
              found: `${queue}: ${stale + unknown} of ${agents} agents too old or unknown, ${oldest}`,
              fix: 'check that a node runs and reads presence (`sidekick presence show`), and the agents’ ids at Entra',
            };
      }),
    ];
  },
};
