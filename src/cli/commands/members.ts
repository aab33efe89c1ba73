/** Who serves which queue. */
import { SidekickError } from '../../lib/errors';
import type { Document } from '../../config/documents/schema';
import type { ChangeOptions } from '../configured/change';
import { putEntries, report } from '../configured/change';
import type { ItemOf } from '../configured/nouns';
import type { Context } from '../context';
import { say } from '../context';
import { withDatabase } from '../database';
import { pick } from './configured-list';

export interface MemberOptions extends ChangeOptions {
  readonly level?: number;
  readonly position?: number;
  readonly priority?: number;
  readonly weight?: number;
}

export interface MoveOptions extends ChangeOptions {
  readonly from: string;
  readonly to: string;
  readonly level?: number;
}

type Queue = ItemOf<'queues'>;
type Member = Queue['members'][number];

/** What is said of a member besides the name. */
const PLACE = ['level', 'position', 'priority', 'weight'] as const;

/** Members who are there already get the level, position, priority and weight that are given. @throws SidekickError SK_NOT_FOUND */
export function addMembers(
  context: Context,
  queue: string,
  agents: readonly string[],
  options: MemberOptions,
): Promise<number> {
  return changeQueues(context, `queues members add ${queue}`, options, (document) => {
    const found = pick('queues', document, queue, options.tenant);
    return [agents.reduce((made, agent) => withMember(document, made, agent, options), found)];
  });
}

/** @throws SidekickError SK_NOT_FOUND, also for an agent who is no member */
export function removeMembers(
  context: Context,
  queue: string,
  agents: readonly string[],
  options: ChangeOptions,
): Promise<number> {
  return changeQueues(context, `queues members remove ${queue}`, options, (document) => {
    const found = pick('queues', document, queue, options.tenant);
    return [agents.reduce(withoutMember, found)];
  });
}

/** @throws SidekickError SK_NOT_FOUND for an agent who is no member, SK_USAGE when nothing is set */
export function setMember(context: Context, queue: string, agent: string, options: MemberOptions): Promise<number> {
  if (PLACE.every((key) => options[key] === undefined)) {
    throw new SidekickError('SK_USAGE', `nothing is said about ${agent}`, {
      why: 'none of --level, --position, --priority and --weight was given',
      next: `sidekick queues members set ${queue} ${agent} --level 2`,
    });
  }
  return changeQueues(context, `queues members set ${queue}`, options, (document) => {
    const found = pick('queues', document, queue, options.tenant);
    memberOf(found, agent);
    return [withMember(document, found, agent, options)];
  });
}

/** The agents keep the level that they had, unless one is given. @throws SidekickError SK_NOT_FOUND */
export function moveAgents(context: Context, agents: readonly string[], options: MoveOptions): Promise<number> {
  const what = `agents move ${agents.join(' ')}`.slice(0, 500);
  return changeQueues(context, what, options, (document) => {
    let from = pick('queues', document, options.from, options.tenant);
    let to = pick('queues', document, options.to, options.tenant);
    if (from === to) {
      throw new SidekickError('SK_USAGE', '--from and --to are the same queue', {
        why: `both are ${options.from}`,
        next: 'name two queues',
      });
    }
    for (const agent of agents) {
      const { level, priority, weight } = memberOf(from, agent);
      from = withoutMember(from, agent);
      to = withMember(document, to, agent, { level: options.level ?? level, priority, weight });
    }
    return [from, to];
  });
}

async function changeQueues(
  context: Context,
  what: string,
  options: ChangeOptions,
  make: (document: Document) => readonly Queue[],
): Promise<number> {
  return withDatabase(context, options, async (db) => {
    const done = await putEntries(db, what, options, (document) => ({ queues: make(document) }));
    report(context, options, done);
    if (done.changed && options.dryRun !== true) {
      say(context, 'calls in progress go on');
    }
    return 0;
  });
}

type Place = Pick<MemberOptions, (typeof PLACE)[number]>;

function withMember(document: Document, queue: Queue, agent: string, place: Place): Queue {
  pick('agents', document, agent, queue.tenant);
  const old = queue.members.find((m) => m.agent === agent);
  const last = Math.max(0, ...queue.members.map((m, i) => m.position ?? i + 1));
  const member: Member = {
    agent,
    level: place.level ?? old?.level ?? 1,
    position: place.position ?? old?.position ?? last + 1,
    priority: place.priority ?? old?.priority ?? 1,
    weight: place.weight ?? old?.weight ?? 1,
  };
  return { ...queue, members: [...queue.members.filter((m) => m.agent !== agent), member] };
}

function withoutMember(queue: Queue, agent: string): Queue {
  memberOf(queue, agent);
  return { ...queue, members: queue.members.filter((m) => m.agent !== agent) };
}

function memberOf(queue: Queue, agent: string): Member {
  const member = queue.members.find((m) => m.agent === agent);
  if (member === undefined) {
    const names = queue.members.map((m) => m.agent);
    throw new SidekickError('SK_NOT_FOUND', `${agent} is no member of ${queue.name}`, {
      why:
        names.length === 0
          ? 'it has no members'
          : `its members are ${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''}`,
      next: `sidekick queues members add ${queue.name} ${agent}`,
    });
  }
  return member;
}
