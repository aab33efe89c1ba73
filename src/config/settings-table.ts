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
  spec(
    'SIDEKICK_DATABASE_POOL',
    'Most connections to Postgres for calls and matches; up to three for HTTP, one for the heartbeat and one that listens come on top',
    'connections',
    '12',
    '20',
  ),
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
    'SIDEKICK_SIGN_IN_TENANT_ID',
    'The Entra tenant whose users may sign in to the API (docs/security.md); without it nobody signs in there',
    'GUID',
    'none',
    '9b1c7f6e-4f0c-4a67-8f3a-2f5b8c1d7e90',
  ),
  spec(
    'SIDEKICK_SIGN_IN_CLIENT_ID',
    'The app registration that tokens of those users must be made for',
    'GUID',
    'none',
    '4c5f0a52-7d0e-4b39-9d5a-6b1b7c1f2a11',
  ),
  spec(
    'SIDEKICK_SIGN_IN_AUTHORITY',
    'The service that signs those tokens, without the tenant',
    'https URL',
    'that of SIDEKICK_GRAPH_CLOUD',
    'https://login.microsoftonline.us',
  ),
  spec(
    'SIDEKICK_SECRET_KEY',
    'Keys that secrets in the database are encrypted with; the first encrypts, the others open what is older',
    '32 bytes as base64 or hexadecimal, comma list',
    'none',
    'the output of `openssl rand -base64 32`',
    true,
  ),
  spec(
    'SIDEKICK_SECRET_KEY_FILE',
    'A file with those keys instead, one a line',
    'file',
    'none',
    '/run/secrets/sidekick-key',
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
    'Its client secret; give this, a certificate or an assertion',
    'text',
    'none',
    'as shown once in Entra',
    true,
  ),
  spec(
    'SIDEKICK_GRAPH_CLIENT_CERTIFICATE',
    'A PEM file with its private key and certificate',
    'file',
    'none',
    '/run/secrets/graph.pem',
  ),
  spec(
    'SIDEKICK_GRAPH_CLIENT_ASSERTION',
    'A file with a federated credential: the signed token of a trusted issuer, read again for every request for a token',
    'file',
    'none',
    '/var/run/secrets/azure/tokens/azure-identity-token',
  ),
  spec(
    'SIDEKICK_GRAPH_CLOUD',
    'The Microsoft cloud that the tenant is in; decides the two addresses below',
    'global, gcc, gcc-high, dod or china',
    'global',
    'gcc-high',
  ),
  spec(
    'SIDEKICK_GRAPH_BASE_URL',
    'The Graph service root',
    'https URL',
    'that of the cloud',
    'https://graph.microsoft.us',
  ),
  spec(
    'SIDEKICK_GRAPH_AUTHORITY',
    'The service that gives out tokens, without the tenant',
    'https URL',
    'that of the cloud',
    'https://login.microsoftonline.us',
  ),
  spec(
    'SIDEKICK_GRAPH_TENANTS',
    'A YAML file with app registrations of tenants that have their own (docs/presence.md)',
    'file',
    'none',
    '/etc/sidekick/graph-tenants.yaml',
  ),
  spec(
    'SIDEKICK_GRAPH_WRITE_BACK',
    'Teams shows agents as busy while they are in a call on another platform or in wrap-up; needs Presence.ReadWrite.All',
    'on or off',
    'off',
    'on',
  ),
  spec(
    'SIDEKICK_GRAPH_NOTIFICATION_KEY',
    'A PEM file with the private key and certificate for what Graph sends by itself; the same on every node',
    'file',
    'none',
    '/run/secrets/graph-notifications.pem',
  ),
  spec(
    'SIDEKICK_GRAPH_ACCOUNTS',
    'Files with the signed-in accounts that ask Graph for notifications (`sidekick teams sign-in`); one for each 650 agents',
    'comma list of files',
    'none',
    '/var/lib/sidekick/presence-1.token',
  ),
  spec(
    'SIDEKICK_PUBLIC_URL',
    'Where Microsoft reaches this installation over HTTPS; needed for notifications only',
    'https URL',
    'none',
    'https://sidekick.example.com',
  ),
  spec(
    'SIDEKICK_PRESENCE_POLL_SECONDS',
    'How often presence is read for agents who are signed in, but for whom no call waits',
    'seconds, 1 to 300',
    '10',
    '15',
  ),
  spec(
    'SIDEKICK_PRESENCE_POLL_WAITING_SECONDS',
    'How often presence is read for agents who could be offered a call now: free, and a call waits in one of their queues',
    'seconds, 1 to 300',
    '2',
    '3',
  ),
  spec(
    'SIDEKICK_PRESENCE_POLL_AWAY_SECONDS',
    'How often presence is read for agents who are signed out or paused',
    'seconds, 1 to 600',
    '60',
    '120',
  ),
  spec(
    'SIDEKICK_PROMPTS',
    'A directory with sound files of your own; FreeSWITCH must see it under the same path',
    'directory',
    'none',
    '/var/lib/sidekick/prompts',
  ),
  spec(
    'SIDEKICK_RECORDINGS_DIR',
    'The directory in which this machine has what FreeSWITCH records, for messages that are fetched over the API',
    'directory',
    'where FreeSWITCH says it puts them',
    '/mnt/recordings',
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
  spec(
    'SIDEKICK_KEEP_DECISIONS_DAYS',
    'How long it is kept who was considered for a call and why (`calls explain`, `replay`)',
    'days, 0.1 to 3650',
    '14',
    '90',
  ),
  spec('SIDEKICK_LOG_LEVEL', 'How much is logged', 'fatal, error, warn, info, debug, trace or silent', 'info', 'debug'),
] as const satisfies readonly SettingSpec[];

/** Environment names that start with SIDEKICK_ and are meant for other programs of the project, not for a node. */
export const FOREIGN_SETTINGS: readonly string[] = [
  'SIDEKICK_TEST_DRACHTIO',
  'SIDEKICK_TEST_FREESWITCH',
  'SIDEKICK_DATA',
];
