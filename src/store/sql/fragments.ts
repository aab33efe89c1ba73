import { CHANNEL, type Notification } from '../notifications';

/** Turns a timestamptz expression into milliseconds since the epoch; NULL stays NULL. */
export function ms(expression: string): string {
  return `round(extract(epoch from ${expression}) * 1000)::float8`;
}

/** An interval of that many milliseconds. */
export function interval(millisExpression: string): string {
  return `(${millisExpression}) * interval '1 millisecond'`;
}

/** Sends a notice about the row whose uuid is `idExpression`. Arrives when the transaction commits. */
export function notify(
  kind: Extract<Notification, { readonly id: string }>['k'],
  idExpression: string,
  more: Readonly<Record<string, string>> = {},
): string {
  const fields = Object.entries(more).map(([name, expression]) => `, '${name}', ${expression}`);
  return `pg_notify('${CHANNEL}', json_build_object('k', '${kind}', 'id', ${idExpression}${fields.join('')})::text)`;
}

/**
 * As `notify`, but silent on the connections of a node, which runs the match itself: three nodes that match one queue for one
 * event do three times the work. What it might miss by dying in between, the sweep of the others finds.
 */
export function hint(kind: 'queue' | 'agent', idExpression: string): string {
  return `case when coalesce(current_setting('sidekick.matches', true), '') <> 'on' then ${notify(kind, idExpression)} end`;
}

/** A wake-up time that has passed counts, whether or not anybody has noted it yet. */
export const WOKEN = (s: string): string =>
  `(${s}.state in ('wrap-up', 'not-ready') and ${s}.until <= clock_timestamp())`;

/** Opens a transaction that tells what happened and decides nothing: the commits of calls need not queue at the disk behind it. */
export const NO_WAIT_FOR_DISK = 'set local synchronous_commit = off';

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** JSON and rows give null where our types say undefined. */
export function orUndefined<T>(value: T | null): T | undefined {
  return value ?? undefined;
}

/** Endpoint of an agent as JSON, from tables `e` (agent_endpoints) and `t` (its trunk, may be null). */
export const ENDPOINT_JSON = `case e.kind
    when 'teams' then json_build_object('kind', 'teams', 'trunk', t.name, 'trunkId', t.id, 'number', e.number, 'entraUserId', e.entra_user_id)
    when 'pbx' then json_build_object('kind', 'pbx', 'trunk', t.name, 'trunkId', t.id, 'user', e.sip_user)
    when 'web' then json_build_object('kind', 'web') end`;

/** Presence of an agent as JSON, from tables `e` (agent_endpoints) and `p` (presence, may be null). */
export const PRESENCE_JSON = `case when e.entra_user_id is null then '"none"'::jsonb
    when p.agent_id is null then '"unknown"'::jsonb
    else jsonb_build_object('availability', p.availability, 'activity', p.activity, 'readAt', ${ms('p.read_at')},
      'changedAt', ${ms('p.changed_at')}, 'source', p.source) end`;

/** A trunk counts as up until every running node that tried it says otherwise. */
export const ENDPOINT_UP = `(t.enabled and t.removed_at is null and coalesce(
    (select bool_or(ts.up) from trunk_status ts join nodes n on n.id = ts.node_id and n.stopped_at is null where ts.trunk_id = t.id), true))`;
