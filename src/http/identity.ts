/** Who asks, what that role may do, and where. */
import { roleReaches } from '../config/roles';
import type { Role } from '../config/roles';
import { SidekickError } from '../lib/errors';
import type { UserRow, UserScope } from '../store/types';

export interface Identity {
  /** As the audit log shows it. */
  readonly by: string;
  readonly role: Role;
  readonly everywhere: boolean;
  /** Where the user may look and act who is not for everywhere. */
  readonly scopes: readonly UserScope[];
}

/** @throws SidekickError SK_NOT_ALLOWED for one who is disabled */
export function identityOf(user: UserRow, how: string): Identity {
  if (user.disabledAt !== undefined) {
    throw new SidekickError('SK_NOT_ALLOWED', `${user.name} is disabled`, {
      next: `an administrator enables the user with \`sidekick users set ${user.name} --enable\``,
    });
  }
  return { by: `${how}:${user.name}`, role: user.role, everywhere: user.everywhere, scopes: user.scopes };
}

/** @throws SidekickError SK_NOT_ALLOWED */
export function requireRole(identity: Identity, needed: Role): void {
  if (!roleReaches(identity.role, needed)) {
    throw new SidekickError('SK_NOT_ALLOWED', `this needs the role ${needed}`, {
      why: `${identity.by} is ${identity.role}`,
      next: 'an administrator gives roles with `sidekick users set NAME --role …`',
    });
  }
}

/** Whether a place is the user's: a tenant as a whole where no queue is named. */
export function covers({ everywhere, scopes }: Identity, tenant: string, queue?: string): boolean {
  return (
    everywhere ||
    scopes.some((scope) => scope.tenant === tenant && (scope.queue === undefined || scope.queue === queue))
  );
}

/** One who works in several queues is seen by whoever has one of them, and steered as a whole by whoever has all. */
export function coversAgent(
  identity: Identity,
  agent: { readonly tenant: string; readonly queues: readonly string[] },
  which: 'some' | 'every',
): boolean {
  return (
    covers(identity, agent.tenant) ||
    (agent.queues.length > 0 && agent.queues[which]((queue) => covers(identity, agent.tenant, queue)))
  );
}
