import { comment, run, type Migration } from './sql';

/** Recorded decisions come packed already, so that Postgres need not try to pack them once more. */
export const packedDecisions: Migration = {
  name: '0080-packed-decisions',
  async up(knex) {
    await run(
      knex,
      `alter table decisions alter column snapshot set storage external, alter column explanations set storage external;`,
    );
    await comment(
      knex,
      'decisions',
      'What a match was decided from and what came of it. Written after the match; kept for as long as the setting says.',
      {
        snapshot: 'What the decision was made from: JSON, brotli; gzip in older rows.',
        explanations:
          'For each call who could have taken it and why the others could not: JSON, brotli; gzip in older rows.',
      },
    );
  },
};
