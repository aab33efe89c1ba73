import type { Settings, SignInSettings } from './config/settings';
import type { Identity } from './http/identity';
import type { GraphNotifications, NodeView, SoundReader } from './http/ports';
import { startHttp } from './http/server';
import { SignIn } from './http/sign-in';
import type { HttpServer } from './http/server';
import type { Log } from './lib/log';
import type { Metrics } from './lib/metrics';
import { packageVersion } from './lib/package';
import { store } from './store';
import type { Database } from './store';

export interface NodeHttpDeps {
  readonly settings: Settings;
  readonly db: Database;
  readonly node: NodeView;
  readonly sounds: SoundReader;
  /** undefined: Graph sends nothing by itself. */
  readonly notifications: GraphNotifications | undefined;
  readonly metrics: Metrics;
  readonly log: Log;
}

/**
 * Starts HTTP where the settings name a place for it.
 * @throws SidekickError SK_PORT_TAKEN, SK_SETTINGS_INVALID
 */
export async function startNodeHttp({
  settings,
  db,
  node,
  sounds,
  notifications,
  metrics,
  log,
}: NodeHttpDeps): Promise<HttpServer | undefined> {
  const { http, adminToken, signIn } = settings;
  if (!http) {
    return undefined;
  }
  return await startHttp({
    listen: http,
    adminToken,
    node,
    calls: {
      listCalls: (filter) => store.listCalls(db, filter),
      findCall: (callId) => store.findCall(db, callId),
      callEvents: (callId) => store.callEvents(db, callId),
    },
    userByToken: (digest) => store.userByToken(db, digest),
    signIn: signIn && signInAt(signIn, db),
    center: { db, store },
    sounds,
    ...(notifications === undefined ? {} : { notifications }),
    metrics,
    log,
    version: packageVersion(),
  });
}

function signInAt(settings: SignInSettings, db: Database): (token: string) => Promise<Identity> {
  const signIn = new SignIn({
    settings,
    now: () => Date.now(),
    userByEntraId: (entraUserId) => store.userByEntraId(db, entraUserId),
  });
  return (token) => signIn.identify(token);
}
