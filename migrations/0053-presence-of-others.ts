import { comment, run, type Migration } from './sql';

/** Whoever takes calls on a PBX or in a browser may have a user at Entra as well, whose presence counts and is written. */
export const presenceOfOthers: Migration = {
  name: '0053-presence-of-others',
  async up(knex) {
    await run(
      knex,
      `
      do $$
      declare found record;
      begin
        for found in select conname from pg_constraint
          where conrelid = 'agent_endpoints'::regclass and contype = 'c' and pg_get_constraintdef(oid) like '%entra_user_id IS NULL%'
        loop
          execute format('alter table agent_endpoints drop constraint %I', found.conname);
        end loop;
      end $$;
      alter table agent_endpoints
        add constraint agent_endpoints_pbx check (kind <> 'pbx' or (trunk_id is not null and sip_user is not null and number is null)),
        add constraint agent_endpoints_web check (kind <> 'web' or (trunk_id is null and number is null and sip_user is null));`,
    );
    await comment(knex, 'agent_endpoints', 'Where an agent is rung: a Teams number, a user of a PBX, a browser.', {
      entra_user_id: 'Object id of the user in Entra, by which presence is read and written; null: not in Teams.',
    });
  },
};
