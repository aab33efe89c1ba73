/** Finds what a name on the command line means, or says what was probably meant. */
import { didYouMean } from '../config/documents/did-you-mean';
import { SidekickError } from '../lib/errors';
import { store } from '../store';
import type { AgentRow, Database, QueueSummary } from '../store';

/** @throws SidekickError SK_NOT_FOUND with the name that was probably meant */
export function notFound(
  noun: string,
  name: string,
  names: readonly string[],
  { tenant, list = `sidekick ${noun}s list` }: { readonly tenant?: string | undefined; readonly list?: string } = {},
): SidekickError {
  const meant = didYouMean(name, names);
  return new SidekickError('SK_NOT_FOUND', `there is no ${noun} ${name}`, {
    ...(tenant === undefined ? {} : { why: `none in the tenant ${tenant}` }),
    next: meant === undefined ? `\`${list}\` shows the names` : `did you mean ${meant}?`,
  });
}

/**
 * The one of `rows` that has this name, in this tenant if one is given.
 * @throws SidekickError SK_NOT_FOUND, SK_CONFLICT where two tenants have one of that name
 */
export function pickByName<Row extends { readonly name: string; readonly tenant: string }>(
  noun: string,
  rows: readonly Row[],
  name: string,
  tenant: string | undefined,
): Row {
  const found = rows.filter((row) => row.name === name && (tenant === undefined || row.tenant === tenant));
  const [first] = found;
  if (first === undefined) {
    throw notFound(
      noun,
      name,
      rows.filter((row) => tenant === undefined || row.tenant === tenant).map((row) => row.name),
      { tenant },
    );
  }
  if (found.length > 1) {
    throw new SidekickError('SK_CONFLICT', `there is more than one ${noun} named ${name}`, {
      why: `the tenants ${found.map((row) => row.tenant).join(', ')} have one each`,
      next: 'name the tenant with --tenant',
    });
  }
  return first;
}

/** @throws SidekickError SK_NOT_FOUND, SK_CONFLICT */
export async function findQueue(db: Database, name: string, tenant: string | undefined): Promise<QueueSummary> {
  return pickByName('queue', await store.queueSummaries(db), name, tenant);
}

/** @throws SidekickError SK_NOT_FOUND, SK_CONFLICT */
export async function findAgent(db: Database, name: string, tenant: string | undefined): Promise<AgentRow> {
  const agent = await store.agentByName(db, name, tenant);
  if (agent !== undefined) {
    return agent;
  }
  throw notFound(
    'agent',
    name,
    (await store.listAgents(db)).map((a) => a.name),
    { tenant },
  );
}
