import { runCli } from '../../src/cli/run';
import { applyDocument } from '../../src/config/documents/apply-document';
import { readDocument } from '../../src/config/documents/parse-document';
import { testDatabase } from '../support/database';
import type { TestDatabase } from '../support/database';
import { testIo } from '../support/test-io';

const CENTER = `
apiVersion: sidekick/v1
tenants:
  - { name: demo, country: DE, timeZone: Europe/Berlin }
prompts:
  - { name: hello, file: hello.wav }
queues:
  - { name: support }
numbers:
  - { number: '+49301000100', queue: support, greeting: hello }
`;

const runtime = {
  startNode: () => Promise.reject(new Error('none')),
  startEmbedded: () => Promise.reject(new Error('none')),
};

describe('announcements on the command line', () => {
  let database: TestDatabase;
  const cli = async (...args: string[]) => {
    const io = testIo({ env: { SIDEKICK_DATABASE_URL: database.url } });
    const exitCode = await runCli(args, { io, runtime });
    return { exitCode, out: io.out(), err: io.err() };
  };
  const json = async (...args: string[]) => JSON.parse((await cli(...args, '-o', 'json')).out);

  beforeAll(async () => {
    database = await testDatabase({ max: 4 });
    await applyDocument(database.db, readDocument(CENTER, 'center.yaml'), { by: 'test' });
  });
  afterAll(async () => {
    await database.close();
  });

  it('are set, refused and taken away as every key, and numbers test tells them in words', async () => {
    const rules =
      '[{prompt: hello, place: {from: 2, to: 3}}, {prompt: hello, estimatedWaitSeconds: {to: 60}, onlyIfBetter: true}]';
    expect(
      await cli('queues', 'set', 'support', `announcements={firstAfterSeconds: 20, rules: ${rules}}`),
    ).toMatchObject({
      exitCode: 0,
    });
    expect((await cli('numbers', 'test', '+49301000100')).out).toContain(
      [
        '      is told after 20 s, and again after 60 s of music each, the first that holds:',
        '         hello (hello.wav): at place 2 to 3',
        '         hello (hello.wav): where the estimated wait is up to 60 seconds, if the place is better than what was told before',
        '',
      ].join('\n'),
    );
    expect(await cli('queues', 'set', 'support', 'announcements.everySeconds=90')).toMatchObject({ exitCode: 0 });
    expect((await json('queues', 'get', 'support')).queue.announcements).toMatchObject({
      firstAfterSeconds: 20,
      everySeconds: 90,
    });
    expect(await cli('queues', 'set', 'support', 'announcements.rules.0.prompt=nothing')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('there is no prompt "nothing"'),
    });
    expect(await cli('queues', 'set', 'support', 'announcements=')).toMatchObject({ exitCode: 0 });
  });
});
