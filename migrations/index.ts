import { tenants } from './0001-tenants';
import { trunks } from './0002-trunks';
import { prompts } from './0003-prompts';
import { queues } from './0004-queues';
import { numbers } from './0005-numbers';
import { agents } from './0006-agents';
import { configVersions } from './0007-config-versions';
import { nodes } from './0008-nodes';
import { calls } from './0009-calls';
import { queueVisits } from './0010-queue-visits';
import { offers } from './0011-offers';
import { callExclusions } from './0012-call-exclusions';
import { agentStates } from './0013-agent-states';
import { presence } from './0014-presence';
import { facts } from './0015-facts';
import { hours } from './0016-hours';
import { flows } from './0017-flows';
import { queueRules } from './0018-queue-rules';
import { queuePause } from './0019-queue-pause';
import { skills } from './0020-skills';
import { tenantRules } from './0021-tenant-rules';
import { configurationHistory } from './0022-configuration-history';
import { auditLog } from './0023-audit-log';
import { configurationLock } from './0024-configuration-lock';
import { configurationNames } from './0025-configuration-names';
import { tenantOfExclusions } from './0026-tenant-of-exclusions';
import { memberRuntime } from './0030-member-runtime';
import { agentStatesRuntime } from './0031-agent-states-runtime';
import { parallelOffers } from './0032-parallel-offers';
import { visitWants } from './0033-visit-wants';
import { decisions } from './0034-decisions';
import { lateJoiners } from './0035-late-joiners';
import { callCommands } from './0040-call-commands';
import { trunkProxies } from './0045-trunk-proxies';
import { presenceScopes } from './0050-presence-scopes';
import { presenceWrites } from './0051-presence-writes';
import { graphSubscriptions } from './0052-graph-subscriptions';
import { presenceOfOthers } from './0053-presence-of-others';
import { secrets } from './0055-secrets';
import { users } from './0056-users';
import { accessAudit } from './0057-access-audit';
import { configurationMarks } from './0065-configuration-marks';
import { callsNeverGoRound } from './0066-calls-never-go-round';
import { grantedRoles } from './0067-granted-roles';
import { memberWeight } from './0075-member-weight';
import { announcements } from './0076-announcements';
import { queueVoicemail } from './0077-queue-voicemail';
import { voicemails } from './0078-voicemails';
import { queueCallback } from './0079-queue-callback';
import { packedDecisions } from './0080-packed-decisions';
import { callbacks } from './0081-callbacks';
import type { Migration } from './sql';

export type { Migration } from './sql';

/** Every step in the order in which it runs. New steps go to the end; a step that was released is never changed. */
export const migrations: readonly Migration[] = [
  tenants,
  trunks,
  prompts,
  queues,
  numbers,
  agents,
  configVersions,
  nodes,
  calls,
  queueVisits,
  offers,
  callExclusions,
  agentStates,
  presence,
  facts,
  hours,
  flows,
  queueRules,
  queuePause,
  skills,
  tenantRules,
  configurationHistory,
  auditLog,
  configurationLock,
  configurationNames,
  tenantOfExclusions,
  memberRuntime,
  agentStatesRuntime,
  parallelOffers,
  visitWants,
  decisions,
  lateJoiners,
  callCommands,
  trunkProxies,
  presenceScopes,
  presenceWrites,
  graphSubscriptions,
  presenceOfOthers,
  secrets,
  users,
  accessAudit,
  configurationMarks,
  callsNeverGoRound,
  grantedRoles,
  memberWeight,
  announcements,
  queueVoicemail,
  voicemails,
  queueCallback,
  packedDecisions,
  callbacks,
];
