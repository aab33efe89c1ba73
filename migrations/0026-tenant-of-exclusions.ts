import { comment, run, type Migration } from './sql';

export const tenantOfExclusions: Migration = {
  name: '0026-tenant-of-exclusions',
  async up(knex) {
    await run(
      knex,
      `
      alter table call_exclusions add tenant_id uuid references tenants (id);
      update call_exclusions x set tenant_id = c.tenant_id from calls c where c.id = x.call_id;
      alter table call_exclusions alter tenant_id set not null;

      -- It is always that of the call, so nobody needs to say it.
      create function tenant_of_call() returns trigger language plpgsql as $$
      begin
        select c.tenant_id into new.tenant_id from calls c where c.id = new.call_id;
        return new;
      end $$;
      create trigger tenant_of_call before insert on call_exclusions for each row execute function tenant_of_call();`,
    );
    await comment(
      knex,
      'call_exclusions',
      'Agents who are not offered a call again for a while, because they let it ring.',
      {
        tenant_id: 'Tenant of the call.',
      },
    );
  },
};
