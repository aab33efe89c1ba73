import { comment, run, type Migration } from './sql';

/** Names of the strategies, as in src/routing. */
const STRATEGIES = [
  'longest-idle',
  'round-robin',
  'top-down',
  'fewest-calls',
  'least-occupied',
  'skill-best',
  'skill-tightest',
  'weighted-random',
  'ring-all',
  'ring-progressively',
];

const between = (name: string, low: number, high: number): string => `check (${name} between ${low} and ${high})`;
const whole = (name: string, low: number, high: number, fallback: number): string =>
  `add ${name} integer not null default ${fallback} ${between(name, low, high)}`;
const limit = (name: string, low: number, high: number): string => `add ${name} integer ${between(name, low, high)}`;

export const queueRules: Migration = {
  name: '0018-queue-rules',
  async up(knex) {
    await run(knex, SHAPES);
    await run(
      knex,
      `
      alter table queues drop constraint queues_strategy_check,
        add constraint queues_strategy_check check (strategy in (${STRATEGIES.map((name) => `'${name}'`).join(', ')})),
        add constraint queues_presence_accept_form check (
          array_to_string(presence_accept, ',') ~ '^[A-Za-z]{1,64}(/[A-Za-z]{1,64})?(,[A-Za-z]{1,64}(/[A-Za-z]{1,64})?)*$'),
        add levels text not null default 'strict' check (levels in ('strict', 'merged')),
        add level_after_seconds jsonb not null default '{}' check (valid_level_delays(level_after_seconds)),
        add skip_empty_levels boolean not null default true,
        ${whole('max_parallel', 1, 50, 5)},
        ${whole('step_agents', 1, 50, 1)},
        ${whole('step_seconds', 1, 300, 5)},
        add priority_class smallint not null default 0 ${between('priority_class', 0, 9)},
        ${whole('weight', 0, 1000, 0)},
        ${limit('age_cap_seconds', 1, 86_400)},
        add needs jsonb not null default '[]' check (valid_needs(needs)),
        add relaxations jsonb not null default '[]' check (valid_relaxations(relaxations)),
        add prefer_last_agent jsonb check (valid_last_agent(prefer_last_agent)),
        add spare_scarce_agents boolean not null default false,
        ${whole('resume_within_seconds', 0, 3600, 0)},
        add after_call text not null default 'wrap-up' check (after_call in ('wrap-up', 'manual-ready')),
        add confirm text not null default 'none' check (confirm in ('none', 'dtmf')),
        add suspicious_answer text not null default 'accept' check (suspicious_answer in ('accept', 'confirm', 'refuse')),
        ${whole('suspicious_answer_ms', 1, 10_000, 1000)},
        ${limit('max_waiting', 1, 100_000)},
        add let_ring_finish boolean not null default false,
        ${limit('no_agents_after_seconds', 1, 86_400)},
        ${limit('estimated_wait_over_seconds', 1, 86_400)},
        ${whole('service_level_seconds', 1, 3600, 20)},
        add exits jsonb not null default '{}' check (valid_exits(exits)),
        add constraint queues_overflow_not_into_itself check (not exits_into(exits, name));`,
    );
    await comment(knex, 'queues', 'A line of waiting callers and the rules by which agents get them.', COLUMNS);
  },
};

/** Forms of the structured columns; what the names in them mean is checked elsewhere. */
const SHAPES = `
create function valid_level_delays(delays jsonb) returns boolean language sql immutable as $$
  select jsonb_typeof(delays) = 'object' and not exists (
    select from jsonb_each(case jsonb_typeof(delays) when 'object' then delays else '{}' end) as d
    where d.key !~ '^[1-9][0-9]{0,3}$' or jsonb_typeof(d.value) <> 'number'
      or not jsonb_path_exists(d.value, '$ ? (@ >= 0 && @ <= 86400)'))
$$;

create function valid_needs(needs jsonb) returns boolean language sql immutable as $$
  select jsonb_typeof(needs) = 'array' and not jsonb_path_exists(needs,
    '$[*] ? (!(@.skill.type() == "string" && @.atLeast.type() == "number" && @.atLeast >= 1 && @.atLeast <= 10))')
$$;

create function valid_relaxations(steps jsonb) returns boolean language sql immutable as $$
  select jsonb_typeof(steps) = 'array' and not jsonb_path_exists(steps,
    '$[*] ? (!(@.skill.type() == "string" && @.afterSeconds.type() == "number" && @.afterSeconds >= 1
      && (!exists(@.atLeast) || (@.atLeast.type() == "number" && @.atLeast >= 1 && @.atLeast <= 10))))')
$$;

create function valid_last_agent(rule jsonb) returns boolean language sql immutable as $$
  select jsonb_path_exists(rule,
    '$ ? (@.withinDays.type() == "number" && @.withinDays >= 1 && @.waitSeconds.type() == "number" && @.waitSeconds >= 0)')
$$;

create function valid_action(action jsonb) returns boolean language sql immutable as $$
  select jsonb_typeof(action) = 'object'
    and (select count(*) from jsonb_object_keys(case jsonb_typeof(action) when 'object' then action else '{}' end)) = 1
    and jsonb_path_exists(action, '$ ? (@.flow.type() == "string" || @.announce.type() == "string" || @.hangUp == true
      || @.number like_regex "^\\\\+[1-9][0-9]{5,14}$" || (@.queues.type() == "array" && exists(@.queues[0])))')
    and not jsonb_path_exists(action, '$.queues[*] ? (@.type() != "string")')
$$;

create function valid_exits(exits jsonb) returns boolean language sql immutable as $$
  select jsonb_typeof(exits) = 'object' and not exists (
    select from jsonb_each(case jsonb_typeof(exits) when 'object' then exits else '{}' end) as e
    where case
      when e.key in ('closed', 'paused', 'full', 'noAgents', 'noPresence', 'maxWait', 'estimatedWait') then valid_action(e.value) is not true
      when e.key = 'keys' then jsonb_typeof(e.value) <> 'object' or exists (
        select from jsonb_each(case jsonb_typeof(e.value) when 'object' then e.value else '{}' end) as k
        where k.key !~ '^[0-9*#]$' or valid_action(k.value) is not true)
      else true end)
$$;

create function exits_into(exits jsonb, queue text) returns boolean language sql immutable as $$
  select jsonb_path_exists(exits, '$.*.queues[*] ? (@ == $queue)', jsonb_build_object('queue', queue))
    or jsonb_path_exists(exits, '$.keys.*.queues[*] ? (@ == $queue)', jsonb_build_object('queue', queue))
$$;`;

const COLUMNS = {
  presence_accept: 'Presences with which an agent is offered calls: an availability, or Availability/Activity.',
  levels: 'strict: the lowest open level with an eligible agent; merged: open levels compete as one.',
  level_after_seconds:
    'By level: how long a call has waited when the level opens, seconds; a level without entry is open at once.',
  skip_empty_levels: 'Whether a level opens early when no lower level has an agent who is signed in.',
  max_parallel: 'Most agents that ring for one call at once, for ring-all and ring-progressively.',
  step_agents: 'Agents that join each step of ring-progressively.',
  step_seconds: 'Length of a step of ring-progressively, seconds.',
  priority_class: 'From 0 to 9; calls of a higher class are strictly first.',
  weight: 'An agent of several queues takes calls of the heavier queue first.',
  age_cap_seconds:
    'A call that waited longer counts as of first membership priority and top weight, seconds; null: never.',
  needs: 'Skills that an agent needs for a call of this queue: a list of {skill, atLeast}.',
  relaxations:
    'Steps that lower or drop needs: a list of {afterSeconds, skill, atLeast}; without atLeast the need is dropped.',
  prefer_last_agent:
    'The agent who spoke to the caller within so many days gets the call, waited for so many seconds; null: no.',
  spare_scarce_agents: 'Among equals the agent whom fewest other waiting calls could use.',
  resume_within_seconds: 'A caller who calls back so soon keeps the place, seconds; 0: never.',
  after_call: 'What follows a call: wrap-up, or not ready until the agent says so.',
  confirm: 'dtmf: the agent must press a key before the caller is connected.',
  suspicious_answer: 'What is done with an answer that comes faster than a person can give it.',
  suspicious_answer_ms: 'An answer sooner than this is suspicious, milliseconds.',
  max_waiting: 'Most calls that wait at once; null: without limit.',
  let_ring_finish: 'Whether a ringing agent may still answer when the longest wait is over.',
  no_agents_after_seconds: 'A call leaves when no agent was there for so long, seconds; null: it stays.',
  estimated_wait_over_seconds: 'A call leaves when its estimated wait is longer, seconds; null: it stays.',
  service_level_seconds: 'An answer within so many seconds counts as in time.',
  exits: 'Where calls go that cannot enter or stay, by reason, and keys that callers may press.',
};
