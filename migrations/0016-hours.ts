import { comment, NAME_CHECK, run, type Migration } from './sql';

/** A window such as 08:00-18:00; 24:00 is midnight at the end of the day, an end before the start is on the next day. */
const WINDOW = '^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$';

export const hours: Migration = {
  name: '0016-hours',
  async up(knex) {
    await run(
      knex,
      `
      create function valid_windows(windows jsonb) returns boolean language sql immutable as $$
        select jsonb_typeof(windows) = 'array'
          and not jsonb_path_exists(windows, '$[*] ? (!(@ like_regex "${WINDOW}"))')
          and not exists (
            select from jsonb_path_query(windows, '$[*] ? (@.type() == "string")') as w
            where split_part(w #>> '{}', '-', 1) = split_part(w #>> '{}', '-', 2))
      $$;

      create function valid_week(week jsonb) returns boolean language sql immutable as $$
        select jsonb_typeof(week) = 'object' and not exists (
          select from jsonb_each(case jsonb_typeof(week) when 'object' then week else '{}' end) as d
          where d.key not in ('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun') or valid_windows(d.value) is not true)
      $$;

      create function valid_holidays(days jsonb) returns boolean language sql immutable as $$
        select jsonb_typeof(days) = 'array' and not exists (
          select from jsonb_array_elements(case jsonb_typeof(days) when 'array' then days else '[]' end) as d
          where coalesce(d ->> 'date', '') !~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$'
            or length(coalesce(d ->> 'name', '')) not between 1 and 200
            or (d ? 'open' and valid_windows(d -> 'open') is not true))
      $$;

      create table hours (
        id uuid primary key default gen_random_uuid(),
        tenant_id uuid not null references tenants (id),
        name text not null check (name ${NAME_CHECK}),
        time_zone text,
        weekly jsonb not null check (valid_week(weekly)),
        holidays jsonb not null default '[]' check (valid_holidays(holidays)),
        created_at timestamptz(3) not null default clock_timestamp(),
        unique (tenant_id, name),
        unique (tenant_id, id)
      );
      create trigger announce_config after insert or update or delete or truncate on hours
        for each statement execute function announce_config();

      alter table queues add hours_id uuid, add foreign key (tenant_id, hours_id) references hours (tenant_id, id);`,
    );
    await comment(knex, 'hours', 'Opening hours: windows of a week, and days that differ.', {
      name: 'Natural key within the tenant.',
      time_zone: 'IANA name; null: the time zone of the tenant.',
      weekly: 'Windows by weekday (mon to sun), such as ["08:00-18:00"]; a day without windows is closed.',
      holidays: 'Days with their date and name; open: the windows of that day, closed all day without them.',
      created_at: 'When the row was made.',
    });
    await comment(knex, 'queues', 'A line of waiting callers and the rules by which agents get them.', {
      hours_id: 'When the queue takes calls; null: always.',
    });
  },
};
