import { comment, run, type Migration } from './sql';

export const trunkProxies: Migration = {
  name: '0045-trunk-proxies',
  async up(knex) {
    await run(knex, `alter table trunk_status add column proxies jsonb not null default '[]'::jsonb;`);
    await comment(
      knex,
      'trunk_status',
      'Whether a node reaches the far end of a trunk. No row: not checked, counts as up.',
      {
        proxies:
          'Direct Routing proxies of a Teams trunk in configured order: host, state, reason, detail, since (ms since the epoch), answerMs, addresses.',
      },
    );
  },
};
