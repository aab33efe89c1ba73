import fc from 'fast-check';
import { applyDocument } from '../../src/config/documents/apply-document';
import { changeConfiguration, latestVersion } from '../../src/config/documents/change-configuration';
import { documentChanges } from '../../src/config/documents/changes';
import { readConfiguration } from '../../src/config/documents/export-document';
import { documentAt, listVersions } from '../../src/config/documents/history';
import { isSidekickError } from '../../src/lib/errors';
import type { Queryable } from '../../src/store';
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database';
import { randomDocument } from '../support/random-document';

let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ max: 4 });
});
afterAll(async () => {
  await test.close();
});

/** Everything that somebody could write by hand: what a line of the audit log tells, and what it does not. */
const STATEMENTS = [
  `update queues set wrap_up_seconds = wrap_up_seconds + 1 where name = 'desk'`,
  `update queues set wrap_up_seconds = 7, strategy = 'top-down'`,
  `update queues set paused_at = now() where name = 'desk'`,
  `update queues set weight = 9, name = 'counter' where name = 'desk'`,
  `update queues set name = 'desk' where name = 'counter'`,
  `update queues set hours_id = null, music_prompt_id = null`,
  `update queues set removed_at = now(), hours_id = null, music_prompt_id = null, exits = '{}', announcements = null where name = 'support'`,
  `update queues set announcements = '{"firstAfterSeconds": 7, "everySeconds": 70, "rules": [{"prompt": "hello", "place": {"to": 2}}]}'
   where name <> 'desk'`,
  `update queues set announcements = null where name = 'sales'`,
  `update queues set removed_at = null where name = 'support'`,
  `update queue_members set level = 2 where agent_id in (select id from agents where name like '%von%')`,
  `update queue_members set level = level + 1`,
  `update queue_members set paused = true, pause_reason = 'x'`,
  `delete from queue_members where agent_id = (select id from agents where name = 'Anna' limit 1)`,
  `update queue_members m set agent_id = (select a.id from agents a where a.name = 'Ben' and a.tenant_id = m.tenant_id)
   where agent_id in (select id from agents where name = 'Clara')
     and not exists (select from queue_members o join agents b on b.id = o.agent_id where b.name = 'Ben' and o.queue_id = m.queue_id)`,
  `update agents set display_name = display_name || '!'`,
  `update agents set name = 'Bea' where name = 'Ben'`,
  `update agents set name = 'Ben' where name = 'Bea'`,
  `update agents set removed_at = now() where name = 'Clara'`,
  `update agents set removed_at = null where name = 'Clara'`,
  `delete from agents where name = 'Anna'`,
  `update agent_skills set level = 11 - level`,
  `delete from agent_skills where skill = 'x-ray'`,
  `update agent_endpoints set max_ring_seconds = 12`,
  `update agent_endpoints set sip_user = sip_user || '7' where position = 1`,
  `update trunks set enabled = not enabled where name = 'pbx'`,
  `update trunks set tenant_id = null where name = 'pbx'`,
  `update trunks set settings = settings || '{"maxCalls": 5}' where kind = 'carrier'`,
  `update prompts set source = 'other.wav', kind = 'file'`,
  `update prompts set name = 'hi' where name = 'hello'`,
  `update hours set holidays = '[]'`,
  `update hours set name = 'bureau', weekly = '{"mon": ["09:00-10:00"], "tue": [], "wed": [], "thu": [], "fri": [], "sat": [], "sun": []}'`,
  `update skills set description = 'by hand'`,
  `insert into skills (tenant_id, name) select id, 'french' from tenants limit 1 on conflict do nothing`,
  `delete from skills where name = 'french'`,
  `update flows set steps = '[{"hangUp": true}]'`,
  `delete from flows`,
  `update tenants set allow_numbers = '{+49,+43}'`,
  `update tenants set name = 'acme-2' where name = 'acme'`,
  `update tenants set name = 'acme' where name = 'acme-2'`,
  `update numbers set greeting_prompt_id = null`,
  `update numbers set e164 = '+49301000199' where e164 = '+49301000100'`,
  `delete from numbers where flow_id is not null`,
  `truncate queue_members`,
  `truncate numbers`,
  `insert into secrets (name, nonce, sealed) values ('s', '\\x000000000000000000000000', '\\x00')`,
];

const step = fc.record({
  hand: fc.boolean(),
  dryRun: fc.boolean(),
  statements: fc.array(fc.constantFrom(...STATEMENTS), { minLength: 1, maxLength: 3 }),
});

/** What a statement that is refused says. */
const REFUSED = /^(23\d{3}|42703|0A000)$/;

describe('the history', () => {
  it('says what the rows say, whatever commands and hands wrote in whatever order', async () => {
    let handMade = 0;
    let changed = 0;
    await fc.assert(
      fc.asyncProperty(randomDocument, fc.array(step, { minLength: 4, maxLength: 10 }), async (document, steps) => {
        await emptyDatabase(test.db);
        await applyDocument(test.db, document, { by: 'tester' });
        for (const { hand, dryRun, statements } of steps) {
          if (hand) {
            for (const text of statements) {
              await test.db.query(text).catch((error: unknown) => {
                expect((error as { code?: string }).code).toMatch(REFUSED);
              });
            }
            continue;
          }
          const before = await readConfiguration(test.db);
          const done = await changeConfiguration(test.db, { by: 'tester', what: 'set' }, async (tx) => {
            for (const text of statements) {
              await tx.query(text);
            }
            if (dryRun) {
              throw new Error('undone');
            }
          }).catch((error: unknown) => {
            const refused = isSidekickError(error, 'SK_CONFLICT') || isSidekickError(error, 'SK_CONFIG_INVALID');
            expect(
              refused || /undone/.test(String(error)) || REFUSED.test(String((error as { code?: string }).code)),
            ).toBe(true);
            return undefined;
          });
          const after = await readConfiguration(test.db);
          if (done === undefined) {
            expect(after).toEqual(before);
            continue;
          }
          expect(done.changes).toEqual(documentChanges(before, after));
          expect((await latestVersion(test.db)).document).toEqual(after);
          changed += done.changed ? 1 : 0;
        }
        const versions = await listVersions(test.db, 100);
        handMade += versions.filter(({ by }) => by === 'database').length;
        for (const { version, changes } of versions) {
          const [before, after] = [await documentAt(test.db, version - 1), await documentAt(test.db, version)];
          expect(changes).toEqual(JSON.parse(JSON.stringify(documentChanges(before, after))));
        }
      }),
      { numRuns: 40, endOnFailure: true, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false },
    );
    // Or else nothing was tried.
    expect([handMade > 5, changed > 10]).toEqual([true, true]);
  }, 60_000);

  it('reads only what was touched since its last version', async () => {
    await emptyDatabase(test.db);
    const [document] = fc.sample(randomDocument, { numRuns: 1, seed: 7 });
    await applyDocument(test.db, document!, { by: 'tester' });
    const asked: string[] = [];
    const watched = (q: Queryable): Queryable =>
      new Proxy(q, {
        get: (target, key) => {
          if (key === 'transaction') {
            return (fn: (tx: Queryable) => Promise<unknown>) => target.transaction((tx) => fn(watched(tx)));
          }
          if (key === 'query') {
            return (text: string, ...rest: []) => {
              asked.push(text);
              return target.query(text, ...rest);
            };
          }
          return Reflect.get(target, key) as unknown;
        },
      });
    const set = (): Promise<unknown> =>
      changeConfiguration(watched(test.db), { by: 'tester', what: 'set' }, (tx) =>
        tx.query(`update queues set weight = weight + 1 where name = 'desk'`),
      );
    const lists = (): string[] => asked.filter((text) => text.includes('jsonb_agg')).map((text) => text.slice(0, 40));
    await set();
    expect(lists()).toEqual([expect.stringMatching(/^select jsonb_build_object\('queues'/)]);
    asked.length = 0;
    await test.db.query(`truncate numbers`);
    await set();
    expect(lists()[0]).toMatch(/^select jsonb_build_object\('tenants'/);
  });
});
