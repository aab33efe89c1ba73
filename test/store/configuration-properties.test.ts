import fc from 'fast-check';
import { applyDocument } from '../../src/config/documents/apply-document';
import { afterApply, canonical, EMPTY } from '../../src/config/documents/canonical';
import { changeConfiguration, contradictions, latestVersion } from '../../src/config/documents/change-configuration';
import { documentChanges } from '../../src/config/documents/changes';
import { readConfiguration } from '../../src/config/documents/export-document';
import { documentAt, listVersions } from '../../src/config/documents/history';
import { parseDocument } from '../../src/config/documents/parse-document';
import type { Document } from '../../src/config/documents/schema';
import { documentYaml } from '../../src/config/documents/write-yaml';
import { isSidekickError } from '../../src/lib/errors';
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database';
import { randomDocument } from '../support/random-document';

let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ max: 12 });
});
afterAll(async () => {
  await test.close();
});

const by = { by: 'tester' };
const runs = (numRuns: number) => ({
  numRuns,
  endOnFailure: true,
  interruptAfterTimeLimit: 60_000,
  markInterruptAsFailure: false,
});

/** Reads a document from its own text. */
function reread(document: Document): Document {
  const result = parseDocument(documentYaml(document), 'exported.yaml');
  if (!result.ok) {
    throw new Error(result.lines.join('\n'));
  }
  return canonical(result.document);
}

describe('a configuration', () => {
  it('is the same after it was written as YAML and read again', () => {
    fc.assert(
      fc.property(randomDocument, (document) => {
        const wanted = canonical(document);
        expect(reread(wanted)).toEqual(wanted);
      }),
      runs(200),
    );
  });

  it('is the same after it was applied and exported, and applying the export changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(randomDocument, async (document) => {
        await emptyDatabase(test.db);
        await applyDocument(test.db, document, by);
        const exported = await readConfiguration(test.db);
        expect(exported).toEqual(canonical(document));
        expect(await applyDocument(test.db, reread(exported), { ...by, prune: true })).toMatchObject({
          version: 1,
          changed: false,
        });
      }),
      runs(15),
    );
  });

  it('is what the plan said, and what the history says, after any sequence of applies and rollbacks', async () => {
    const step = fc.oneof(
      fc.record({ document: randomDocument, prune: fc.boolean() }),
      fc.record({ back: fc.nat({ max: 5 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 6 }), async (steps) => {
        await emptyDatabase(test.db);
        const said: Document[] = [EMPTY];
        for (const one of steps) {
          const current = await readConfiguration(test.db);
          const wanted = 'back' in one ? said[one.back % said.length]! : canonical(one.document);
          const target = afterApply(current, wanted, 'back' in one || one.prune);
          // What the plan shows to be contradictory, the apply refuses and leaves everything as it was.
          const result = await applyDocument(test.db, wanted, {
            ...by,
            prune: 'back' in one || one.prune,
          }).catch((error: unknown) => {
            if (isSidekickError(error, 'SK_CONFLICT') || isSidekickError(error, 'SK_CONFIG_INVALID')) {
              return undefined;
            }
            throw error;
          });
          const now = await readConfiguration(test.db);
          expect(now).toEqual(result === undefined ? current : target);
          if (result?.changed === true) {
            expect(result.version).toBe(said.length);
            said.push(now);
          }
        }
        const versions = await listVersions(test.db, 100);
        expect(versions.length).toBe(said.length - 1);
        for (const [version, document] of said.entries()) {
          expect(await documentAt(test.db, version)).toEqual(document);
        }
        for (const { version, changes } of versions) {
          const [before, after] = [await documentAt(test.db, version - 1), await documentAt(test.db, version)];
          expect(changes).toEqual(JSON.parse(JSON.stringify(documentChanges(before, after))));
        }
      }),
      runs(8),
    );
  });

  it('is one of those that were applied at once, never a mixture, and every one of them is in the history', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(randomDocument, { minLength: 2, maxLength: 4 }), async (documents) => {
        await emptyDatabase(test.db);
        const results = await Promise.all(
          documents.map((document) => applyDocument(test.db, document, { ...by, prune: true })),
        );
        const exported = await readConfiguration(test.db);
        expect(documents.map(canonical)).toContainEqual(exported);
        const made = results.filter(({ changed }) => changed).map(({ version }) => version);
        expect([...made].sort((a, b) => a - b)).toEqual(made.map((_, i) => i + 1));
        for (const [i, { version, changed }] of results.entries()) {
          if (changed) {
            expect(await documentAt(test.db, version)).toEqual(canonical(documents[i]!));
          }
        }
      }),
      runs(8),
    );
  });

  it('that several read and then change is changed by one of them only', async () => {
    await emptyDatabase(test.db);
    const [first] = fc.sample(randomDocument, { numRuns: 1, seed: 7 });
    await applyDocument(test.db, first!, by);
    const attempts = await Promise.allSettled(
      [1, 2, 3, 4, 5].map((seconds) =>
        changeConfiguration(test.db, { ...by, what: 'set', expectedVersion: 1 }, (tx) =>
          tx.query('update queues set wrap_up_seconds = 3600 - $1', [seconds]),
        ),
      ),
    );
    expect(attempts.filter(({ status }) => status === 'fulfilled').length).toBe(1);
    expect((await latestVersion(test.db)).version).toBe(2);
  });

  it('never contradicts itself, however many write rows by hand at once', async () => {
    await emptyDatabase(test.db);
    const [first] = fc.sample(
      randomDocument.filter(
        ({ queues, flows, tenants }) => queues.length === 3 && flows.length === 1 && tenants.length === 1,
      ),
      { numRuns: 1, seed: 3 },
    );
    await applyDocument(test.db, first!, by);
    const statements = [
      `update queues set exits = '{"full": {"announce": "hello"}}' where name = 'sales'`,
      `update queues set exits = '{"full": {"announce": "other"}}' where name = 'sales'`,
      `update queues set exits = '{"full": {"queues": ["sales"]}}' where name = 'sales'`,
      `update queues set exits = '{"full": {"queues": ["support"]}}' where name = 'sales'`,
      `update queues set exits = '{"full": {"queues": ["sales"]}}' where name = 'support'`,
      `update queues set exits = '{"full": {"flow": "welcome"}}' where name = 'desk'`,
      `update queues set removed_at = now() where name = 'support'`,
      `update queues set removed_at = null where name = 'support'`,
      `update queues set exits = '{}' where name = 'sales'`,
      `insert into prompts (tenant_id, name, kind, source) select id, 'other', 'file', 'other.wav' from tenants limit 1 on conflict do nothing`,
      `delete from prompts where name = 'other'`,
      `delete from prompts where name = 'hello'`,
      `update flows set steps = '[{"play": "other"}, {"enqueue": "desk"}]'`,
      `update flows set steps = '[{"play": "hello"}, {"enqueue": "sales"}]'`,
      `update queue_members set level = 0`,
      `update agent_skills set level = 11`,
      `update queues set strategy = 'rrmemory'`,
      `update numbers set e164 = '0301000100' where e164 = '+49301000100'`,
      `update numbers set flow_id = null, queue_id = null`,
    ];
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...statements), { minLength: 10, maxLength: 20 }), async (list) => {
        const results = await Promise.allSettled(list.map((text) => test.db.query(text)));
        for (const result of results) {
          if (result.status === 'rejected') {
            refused++;
            expect((result.reason as { code?: string }).code).toMatch(/^23(503|505|514)$/);
          }
        }
        expect(contradictions(await readConfiguration(test.db))).toEqual([]);
      }),
      runs(12),
    );
    expect(refused).toBeGreaterThan(20);
  });
});
