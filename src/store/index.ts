import type { Store } from './api';
import type * as Migrate from './migrate';
import * as agentRows from './sql/agent-rows';
import * as agents from './sql/agents';
import * as callCommands from './sql/call-commands';
import * as audit from './sql/audit';
import * as callbacks from './sql/callbacks';
import * as calls from './sql/calls';
import * as configuration from './sql/configuration';
import * as decisions from './sql/decisions';
import * as directOffer from './sql/direct-offer';
import * as doctor from './sql/doctor';
import * as endOffer from './sql/end-offer';
import * as eventReport from './sql/event-report';
import * as insertOffers from './sql/insert-offers';
import * as match from './sql/match';
import * as memberState from './sql/member-state';
import * as names from './sql/names';
import * as nodes from './sql/nodes';
import * as offers from './sql/offers';
import * as openWork from './sql/open-work';
import * as graphSubscriptions from './sql/graph-subscriptions';
import * as presence from './sql/presence';
import * as presenceScopes from './sql/presence-scopes';
import * as presenceWrites from './sql/presence-writes';
import * as queueReport from './sql/queue-report';
import * as queueVisits from './sql/queue-visits';
import * as recordedTraffic from './sql/recorded-traffic';
import * as secrets from './sql/secrets';
import * as users from './sql/users';
import * as snapshot from './sql/snapshot';
import * as voicemails from './sql/voicemails';
import * as standing from './sql/standing';

export type { Store } from './api';
export type * from './callback-types';
export type * from './config-types';
export type * from './report-types';
export type * from './types';
export type * from './voicemail-types';
export { Listener, type ListenerOptions } from './listener';
export type { MigrationStatus } from './migrate';
export type { Notification } from './notifications';
export { Database, openDatabase, type DatabaseOptions } from './pool';

// The migrations are many files, which only those load who migrate.
/* eslint-disable @typescript-eslint/no-require-imports */
export const migrate: typeof Migrate.migrate = (...args) => (require('./migrate') as typeof Migrate).migrate(...args);
export const migrationStatus: typeof Migrate.migrationStatus = (...args) =>
  (require('./migrate') as typeof Migrate).migrationStatus(...args);
/* eslint-enable @typescript-eslint/no-require-imports */

/** The statements, as one value that can be handed around and replaced in tests. */
export const store: Store = {
  ...nodes,
  ...calls,
  ...callCommands,
  ...voicemails,
  ...callbacks,
  ...queueVisits,
  ...match,
  snapshotQueue: snapshot.snapshotQueue,
  standing: standing.standing,
  insertOffers: insertOffers.insertOffers,
  ...decisions,
  ...offers,
  ...directOffer,
  ...endOffer,
  ...agents,
  ...agentRows,
  ...memberState,
  ...presence,
  ...presenceScopes,
  ...presenceWrites,
  ...graphSubscriptions,
  ...configuration,
  ...secrets,
  ...users,
  ...doctor,
  ...audit,
  ...openWork,
  ...recordedTraffic,
  ...names,
  ...queueReport,
  ...eventReport,
};
