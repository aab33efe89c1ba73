/**
 * Every setting of the `sidekick` command, in one table. docs/settings.md is the same table for readers; a test keeps both
 * equal. A setting comes from a command line option, else from the environment, else from its default.
 */
export interface SettingSpec {
  readonly name: string;
  readonly meaning: string;
  /** What the value is measured or written in. */
  readonly unit: string;
  /** The default as text; `required` has none, `none` switches the part off. */
  readonly default: string;
  readonly example: string;
  /** Never printed, never logged: shown as `***`. */
  readonly secret: boolean;
}

const spec = (
  name: string,
  meaning: string,
  unit: string,
  dflt: string,
  example: string,
  secret = false,
): SettingSpec => ({
  name,
  meaning,
  unit,
  default: dflt,
  example,
  secret,
});

export const SETTINGS = [
  spec(
    'SIDEKICK_DATABASE_URL',
    'The Postgres database that holds configuration and state',
    'postgres:// URL',
    'required',
    'postgres://sidekick:…@db.example.net:5432/sidekick',
    true,
  ),
  spec('SIDEKICK_DATABASE_POOL', 'Most connections this node opens to Postgres', 'connections', '12', '20'),
  spec(
    'SIDEKICK_DRACHTIO',
    "The drachtio servers' admin addresses; the first is this node's own",
    'host:port:secret, comma list',
    'required',
    'drachtio.example.net:9022:…',
    true,
  ),
  spec(
    'SIDEKICK_FREESWITCH',
    "The FreeSWITCH servers' event sockets",
    'host:port:secret, comma list',
    'required',
    'fs1.example.net:8021:…,fs2.example.net:8021:…',
    true,
  ),
  spec(
    'SIDEKICK_ESL_LISTEN',
    'Where FreeSWITCH connects back to this node for a call (outbound event socket); FreeSWITCH must be able to reach it',
    'host:port, port 0 picks a free one',
    '127.0.0.1:0 when every FreeSWITCH is on this machine, else required',
    '10.0.0.5:8085',
  ),
  spec(
    'SIDEKICK_ESL_ADVERTISE',
    'The address FreeSWITCH is told to connect back to, where it differs from SIDEKICK_ESL_LISTEN (container networks)',
    'host:port',
    'the same as SIDEKICK_ESL_LISTEN',
    'sidekick:8085',
  ),
  spec(
    'SIDEKICK_HTTP',
    'Where health, metrics and the API answer; `off` for none',
    'host:port or off',
    '127.0.0.1:8080',
    '0.0.0.0:8080',
  ),
  spec(
    'SIDEKICK_ADMIN_TOKEN',
    'Bearer token of the API, at least 16 characters; without one the API answers on a loopback address only',
    'text',
    'none',
    'the output of `openssl rand -hex 32`',
    true,
  ),
  spec(
    'SIDEKICK_GRAPH_TENANT_ID',
    'The Entra tenant whose presence is read; without it presence is not read',
    'GUID or domain',
    'none',
    'contoso.onmicrosoft.com',
  ),
  spec(
    'SIDEKICK_GRAPH_CLIENT_ID',
    'The app registration that holds Presence.Read.All as an application permission',
    'GUID',
    'none',
    '4c5f0a52-7d0e-4b39-9d5a-6b1b7c1f2a10',
  ),
  spec(
    'SIDEKICK_GRAPH_CLIENT_SECRET',
    'Its client secret; give this or a certificate',
    'text',
    'none',
    'as shown once in Entra',
    true,
  ),
  spec(
    'SIDEKICK_GRAPH_CLIENT_CERTIFICATE',
    'A PEM file with its private key and certificate; give this or a client secret',
    'file',
    'none',
    '/run/secrets/graph.pem',
  ),
  spec(
    'SIDEKICK_GRAPH_BASE_URL',
    'The Graph service root (national clouds have their own)',
    'https URL',
    'https://graph.microsoft.com',
    'https://graph.microsoft.us',
  ),
  spec(
    'SIDEKICK_GRAPH_AUTHORITY',
    'The service that gives out tokens, without the tenant',
    'https URL',
    'https://login.microsoftonline.com',
    'https://login.microsoftonline.us',
  ),
  spec(
    'SIDEKICK_PRESENCE_POLL_SECONDS',
    'How often presence is read for agents none of whose queues has a waiting call',
    'seconds, 1 to 300',
    '10',
    '15',
  ),
  spec(
    'SIDEKICK_PRESENCE_POLL_WAITING_SECONDS',
    'How often presence is read for agents of queues where a call waits',
    'seconds, 1 to 300',
    '2',
    '3',
  ),
  spec(
    'SIDEKICK_PROMPTS',
    'A directory with sound files of your own; FreeSWITCH must see it under the same path',
    'directory',
    'none',
    '/var/lib/sidekick/prompts',
  ),
  spec(
    'SIDEKICK_NODE_ID',
    'The name of this node, unique among all nodes on one database',
    'letters, digits, dot, dash, underscore; at most 64',
    "the machine's host name",
    'node-1',
  ),
  spec(
    'SIDEKICK_DRAIN_SECONDS',
    'How long a stopping node waits for its calls before it ends them',
    'seconds, 0 to 86400',
    '30',
    '600',
  ),
  spec('SIDEKICK_LOG_LEVEL', 'How much is logged', 'fatal, error, warn, info, debug, trace or silent', 'info', 'debug'),
] as const satisfies readonly SettingSpec[];

/** Environment names that start with SIDEKICK_ and are meant for other programs of the project, not for a node. */
export const FOREIGN_SETTINGS: readonly string[] = [
  'SIDEKICK_TEST_DRACHTIO',
  'SIDEKICK_TEST_FREESWITCH',
  'SIDEKICK_DATA',
];
