import path from 'node:path';
import fc from 'fast-check';
import { parse } from 'yaml';
import { importAsterisk } from '../../src/cli/import/asterisk';
import { readXml } from '../../src/cli/import/xml';
import { runCli } from '../../src/cli/run';
import { parseDocument } from '../../src/config/documents/parse-document';
import { testIo } from '../support/test-io';

const FIXTURES = path.join(__dirname, '../fixtures/import');
const runtime = {
  startNode: () => Promise.reject(new Error('none')),
  startEmbedded: () => Promise.reject(new Error('none')),
};

async function imported(...args: string[]) {
  const io = testIo({ cwd: FIXTURES });
  const exitCode = await runCli(['import', ...args], { io, runtime });
  return { exitCode, out: io.out(), err: io.err(), document: exitCode === 0 ? parse(io.out()) : undefined };
}

describe('import asterisk', () => {
  it('makes a valid document of queues, templates and members', async () => {
    const { exitCode, document, out } = await imported('asterisk', 'queues.conf', '--host', 'pbx.example.com');
    expect(exitCode).toBe(0);
    expect(parseDocument(out, 'x')).toMatchObject({ ok: true });
    expect(document.trunks).toEqual([{ name: 'asterisk', kind: 'pbx', host: 'pbx.example.com' }]);
    expect(document.prompts).toEqual([
      { name: 'default', stream: 'default' },
      { name: 'custom-next', file: 'custom/next' },
      { name: 'custom-please-wait', file: 'custom/please-wait' },
    ]);
    expect(document.queues).toEqual([
      {
        name: 'support',
        strategy: 'round-robin',
        ringTimeoutSeconds: 18,
        wrapUpSeconds: 12,
        serviceLevelSeconds: 30,
        music: 'default',
        maxWaiting: 25,
        weight: 5,
        missesBeforeNotReady: 1,
        announcements: {
          firstAfterSeconds: 90,
          everySeconds: 90,
          rules: [{ prompt: 'custom-next', place: { to: 1 }, onlyIfBetter: true }, { prompt: 'custom-please-wait' }],
        },
        members: [
          { agent: 'Anna Albrecht' },
          { agent: 'Ben Brandt', level: 2 },
          { agent: '4713', level: 2 },
          { agent: 'Dora; Deputy', level: 3 },
          { agent: 'Ben Brandt 2' },
        ],
      },
      {
        name: 'Sales-Orders',
        strategy: 'longest-idle',
        ringTimeoutSeconds: 300,
        wrapUpSeconds: 12,
        serviceLevelSeconds: 30,
        music: 'default',
        announcements: { firstAfterSeconds: 20, everySeconds: 10, rules: [{ prompt: 'custom-please-wait' }] },
        members: [{ agent: 'Anna Albrecht' }, { agent: 'Ben Brandt' }],
      },
    ]);
    expect(document.agents[0]).toEqual({
      name: 'Anna Albrecht',
      endpoints: [{ kind: 'pbx', trunk: 'asterisk', user: '4711' }],
    });
  });

  it('lists on stderr what does not map, and why', async () => {
    const { err } = await imported('asterisk', 'queues.conf');
    for (const note of [
      '[support] retry: there is no pause between two offers',
      '[support] joinempty: give the queue exits.noAgents',
      '[support] context: give the queue exits.keys',
      '[support] announce-position: no numbers are spoken',
      '[support] announce-holdtime: no numbers are spoken',
      '[support] periodic-announce: only custom/please-wait is taken over',
      '[support] periodic-announce-frequency: there is one clock for all announcements: every 90 s',
      '[support] custom/next: is a recording of Asterisk',
      '[Sales & Orders] periodic-announce-frequency: 5 became 10',
      '[support] member DAHDI/g1/0228123,0,Pager: is left out',
      'the dialplan behind Local/ is not read; 4714 is called at the PBX',
      '[Sales & Orders] timeout: 900 became 300',
      'queue "Sales & Orders": is called Sales-Orders here',
      '#include queues_extra.conf: other files are not read',
      '[general] persistentmembers',
      'add `numbers:`',
      '2 queues and 5 agents mapped',
    ]) {
      expect(err).toContain(note);
    }
    expect(err).not.toContain('forgotten');
  });

  it('makes a valid document, or says why not, of whatever stands in the file', () => {
    const word = fc.oneof(
      fc.constantFrom(
        'strategy',
        'member',
        'timeout',
        'maxlen',
        'weight',
        'musicclass',
        'autopause',
        'announce-frequency',
        'periodic-announce',
        'periodic-announce-frequency',
        'queue-youarenext',
        '60',
        'rrmemory',
        'PJSIP/1,5,X',
        '0',
        '-3',
        '99999999',
      ),
      fc.string({ maxLength: 12 }),
    );
    const row = fc.oneof(
      fc.tuple(word, word).map(([key, value]) => `${key} => ${value}`),
      fc.tuple(word, word).map(([name, template]) => `[${name}](${template})`),
      fc.string({ maxLength: 20 }),
    );
    const home = { tenant: 'main', country: 'DE', timeZone: 'Europe/Berlin', host: 'pbx.example.com' };
    fc.assert(
      fc.property(fc.array(row, { maxLength: 25 }), (rows) => {
        const { document } = importAsterisk(rows.join('\n'), home);
        const result = parseDocument(JSON.stringify(document), 'x');
        expect(result.ok ? [] : result.lines).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('import freeswitch', () => {
  it('makes a valid document of queues, agents and tiers', async () => {
    const { exitCode, document, out } = await imported('freeswitch', 'callcenter.conf.xml');
    expect(exitCode).toBe(0);
    expect(parseDocument(out, 'x')).toMatchObject({ ok: true });
    expect(document.queues).toEqual([
      {
        name: 'support',
        strategy: 'longest-idle',
        music: 'moh',
        maxWaitSeconds: 600,
        noAgentsAfterSeconds: 120,
        exits: { noAgents: { hangUp: true } },
        resumeWithinSeconds: 90,
        announcements: { firstAfterSeconds: 30, everySeconds: 30, rules: [{ prompt: 'sounds-please-wait.wav' }] },
        levels: 'strict',
        levelAfterSeconds: { '2': 30, '3': 60 },
        skipEmptyLevels: true,
        wrapUpSeconds: 20,
        missesBeforeNotReady: 3,
        retryAfterSeconds: { declined: 15, busy: 60 },
        members: [
          { agent: '1001', position: 1 },
          { agent: '1002', level: 2, position: 1 },
          { agent: 'mobile & home', level: 3, position: 1 },
        ],
      },
      {
        name: 'night',
        strategy: 'ring-progressively',
        stepSeconds: 10,
        music: 'moh',
        levels: 'merged',
        wrapUpSeconds: 10,
        missesBeforeNotReady: 3,
        retryAfterSeconds: { declined: 15, busy: 60 },
        members: [{ agent: '1001', position: 1 }],
      },
    ]);
    expect(document.agents).toEqual([
      {
        name: '1001',
        signedIn: true,
        endpoints: [{ kind: 'pbx', trunk: 'freeswitch', user: '1001', maxRingSeconds: 12 }],
      },
      { name: '1002', endpoints: [{ kind: 'pbx', trunk: 'freeswitch', user: '1002' }] },
      { name: 'mobile & home', signedIn: true, endpoints: [{ kind: 'pbx', trunk: 'pstn', user: '+491701234567' }] },
    ]);
  });

  it('lists on stderr what does not map, and why', async () => {
    const { err } = await imported('freeswitch', 'callcenter.conf.xml');
    for (const note of [
      'queue support@default record-template: recording is not part of a queue',
      'queue support@default wrap-up-time: its agents have 20, 10',
      'tier 1003@default: there is no such agent in the file',
      'agent standby: the type uuid-standby is left out',
      'agent nobody@default: is in no tier',
      'tier 1002@default: there is no queue gone@default',
      'the variable in $${hold_music} is not read',
      'queue night@default announce-sound: $${sounds_dir}/wait.wav is not read',
      'the gateway pstn became a trunk of kind pbx',
    ]) {
      expect(err).toContain(note);
    }
  });

  it.each([
    ['<a><b></a>', 'line 1: </a> closes nothing'],
    ['<a>\n<b', 'line 2: a tag is not well formed'],
    ['<a>\n\n', '<a> is not closed'],
    ['nothing', 'there is no element'],
    ['<a>'.repeat(70), 'nested deeper than 64'],
  ])('says of %p that it is %s', (text, why) => {
    expect(() => readXml(text)).toThrow(
      expect.objectContaining({ code: 'SK_USAGE', why: expect.stringContaining(why) }),
    );
  });
});

describe('import teams-queue', () => {
  it('makes a valid document of call queues and the numbers of their agents', async () => {
    const { exitCode, document, out } = await imported(
      ...['teams-queue', 'teams-queues.json', '--users', 'teams-users.json', '--sbc-name', 'sbc1.example.com'],
    );
    expect(exitCode).toBe(0);
    expect(parseDocument(out, 'x')).toMatchObject({ ok: true });
    expect(document.tenants).toEqual([
      { name: 'main', country: 'DE', timeZone: 'Europe/Berlin', allowNumbers: ['+4922812345'] },
    ]);
    expect(document.queues).toEqual([
      {
        name: 'Support-Bonn',
        strategy: 'ring-all',
        ringTimeoutSeconds: 30,
        maxWaiting: 50,
        maxWaitSeconds: 1200,
        serviceLevelSeconds: 25,
        presence: {
          accept: ['Available', 'AvailableIdle', 'Away', 'BeRightBack', 'Busy', 'BusyIdle'],
          unknown: 'accept',
        },
        music: 'moh',
        exits: { full: { queues: ['Overflow'] }, maxWait: { number: '+4922812345' } },
        members: [{ agent: 'anna' }, { agent: 'ben' }],
      },
      {
        name: 'Overflow',
        strategy: 'longest-idle',
        ringTimeoutSeconds: 15,
        maxWaiting: 200,
        maxWaitSeconds: 2700,
        exits: { full: { hangUp: true }, maxWait: { voicemail: 'Overflow' }, noAgents: { hangUp: true } },
        voicemail: {},
        members: [{ agent: 'anna' }],
      },
    ]);
    expect(document.agents[1]).toEqual({
      name: 'ben',
      displayName: 'Ben Brandt',
      endpoints: [
        { kind: 'teams', trunk: 'teams', number: '+4922810002', entraUserId: '0a000000-0000-4000-8000-000000000002' },
      ],
    });
  });

  it('lists on stderr what does not map, and why', async () => {
    const { err } = await imported('teams-queue', 'teams-queues.json', '--users', 'teams-users.json');
    for (const note of [
      'queue "Support Bonn" WelcomeMusicFileName: the greeting is a file in Microsoft’s store',
      'queue "Support Bonn" ben: opted out there',
      'agent 0a000000-0000-4000-8000-000000000003: is left out: the user has no number',
      'agent 0a000000-0000-4000-8000-000000000009: is left out: the number is not in the file',
      'queue "Overflow" TimeoutAction: messages are kept here and not sent to the group',
      'queue "Overflow" DistributionLists: members of groups are not read',
    ]) {
      expect(err).toContain(note);
    }
  });

  it('takes one queue alone, and says what is wrong with another file', async () => {
    const io = testIo({ cwd: FIXTURES, stdin: '\uFEFF{"Name":"A","RoutingMethod":"Serial"}' });
    expect(await runCli(['import', 'teams-queue', '-'], { io, runtime })).toBe(0);
    expect(parse(io.out()).queues).toEqual([{ name: 'A', strategy: 'top-down', members: [] }]);
    expect(await imported('teams-queue', 'queues.conf')).toMatchObject({
      exitCode: 2,
      out: '',
      err: expect.stringContaining('Get-CsCallQueue'),
    });
    expect(await imported('teams-queue', 'missing.json')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('no such file'),
    });
  });
});
