import { parseDocument } from '../../../src/config/documents/parse-document';

const GOOD = `apiVersion: sidekick/v1
tenants:
  - name: demo
    country: DE
    timeZone: Europe/Berlin
trunks:
  - name: carrier
    kind: carrier
    sources: [203.0.113.0/24]
  - name: teams
    kind: teams
    sbcName: sbc1.example.com
  - name: avaya
    kind: pbx
    host: pbx.example.com
prompts:
  - name: hello
    file: hello.wav
queues:
  - name: support
    strategy: longest-idle
    ringTimeoutSeconds: 20
    presence: { accept: [Available] }
    members:
      - agent: Anna
      - agent: Ben
        level: 2
agents:
  - name: Anna
    endpoints:
      - kind: teams
        trunk: teams
        number: "+493010002001"
        entraUserId: 00000000-0000-4000-8000-000000000201
  - name: Ben
    endpoints:
      - { kind: pbx, trunk: avaya, user: "4711" }
numbers:
  - number: "+49301000100"
    queue: support
    greeting: hello
`;

/** A mistake: what in the good document is replaced by what; where it is reported; what must be said. */
type Mistake = readonly [sentence: string, from: string, to: string, line: number, column: number, says: RegExp];

const MISTAKES: readonly Mistake[] = [
  [
    'an unknown version of the format',
    'sidekick/v1',
    'sidekick/v2',
    1,
    13,
    /"sidekick\/v2" is not accepted \(accepted: sidekick\/v1/,
  ],
  [
    'no version of the format',
    'apiVersion: sidekick/v1\n',
    '',
    1,
    1,
    /apiVersion: is missing \(accepted: sidekick\/v1/,
  ],
  ['no tenants', /tenants:[^]*?(?=trunks:)/.source, 'tenants: []\n', 2, 10, /needs at least one tenant/],
  ['a country that does not exist', 'country: DE', 'country: XY', 4, 14, /"XY" must be an ISO 3166 country code/],
  ['a country in small letters', 'country: DE', 'country: de', 4, 14, /"de" must be an ISO 3166 country code/],
  [
    'a time zone that does not exist',
    'Europe/Berlin',
    'Europe/Belrin',
    5,
    15,
    /"Europe\/Belrin" must be an IANA time zone/,
  ],
  ['an unknown key at the top', 'prompts:', 'promts:', 16, 1, /promts: is not a known key .*did you mean prompts\?/],
  [
    'a trunk of an unknown kind',
    'kind: carrier',
    'kind: carier',
    8,
    11,
    /"carier" is not a known kind .*did you mean carrier\?/,
  ],
  ['a trunk without a kind', '    kind: carrier\n', '', 7, 5, /kind: has no kind \(accepted: carrier, teams, pbx, web/],
  ['an address range that is none', '203.0.113.0/24', '203.0.113.0/33', 9, 15, /must be an address or a CIDR range/],
  ['no address range', '[203.0.113.0/24]', '[]', 9, 14, /needs at least one address range/],
  [
    'a key of another kind of trunk',
    'sources: [203.0.113.0/24]',
    'sources: [10.0.0.0/8]\n    host: x',
    10,
    5,
    /host: is not a known key/,
  ],
  [
    'a password in the document',
    '[203.0.113.0/24]',
    '[10.0.0.1]\n    digest: { username: a, password: b }',
    10,
    28,
    /no secrets; name the environment variable .*passwordFrom/,
  ],
  [
    'a secret name that is no variable',
    '[203.0.113.0/24]',
    '[10.0.0.1]\n    digest: { username: a, passwordFrom: my-pass }',
    10,
    42,
    /must be the name of an environment variable/,
  ],
  ['an SBC name that is an address', 'sbc1.example.com', '192.0.2.1', 12, 14, /must be the full name of the SBC/],
  [
    'a PBX with a scheme in its host',
    'host: pbx.example.com',
    'host: sip:pbx.example.com',
    15,
    11,
    /without a port or a scheme/,
  ],
  [
    'a port out of range',
    'host: pbx.example.com',
    'host: pbx.example.com\n    port: 70000',
    16,
    11,
    /70000 is too large \(at most 65535\)/,
  ],
  [
    'an unknown transport',
    'host: pbx.example.com',
    'host: pbx.example.com\n    transport: tpc',
    16,
    16,
    /"tpc" is not accepted \(accepted: udp, tcp, tls; did you mean tcp\?\)/,
  ],
  [
    'an unknown codec',
    'host: pbx.example.com',
    'host: pbx.example.com\n    codecs: [PCMA, G729]',
    16,
    20,
    /"G729" is not accepted \(accepted: PCMA, PCMU, G722, OPUS/,
  ],
  ['two trunks of one name', 'name: avaya', 'name: teams', 13, 11, /trunk "teams" is there twice \(first in line 10\)/],
  [
    'a prompt with two sources',
    'file: hello.wav',
    'file: hello.wav\n    stream: moh',
    17,
    5,
    /needs exactly one of file, tone, stream/,
  ],
  ['a prompt without a source', '    file: hello.wav\n', '', 17, 5, /needs exactly one of file, tone, stream/],
  [
    'a strategy of another product',
    'longest-idle',
    'rrmemory',
    21,
    15,
    /"rrmemory" is not accepted \(accepted: longest-idle, round-robin, top-down/,
  ],
  ['a strategy with a typing error', 'longest-idle', 'longest-idel', 21, 15, /did you mean longest-idle\?/],
  [
    'a ring timeout below its limit',
    'ringTimeoutSeconds: 20',
    'ringTimeoutSeconds: 1',
    22,
    25,
    /1 is too small \(at least 3\)/,
  ],
  [
    'a ring timeout above its limit',
    'ringTimeoutSeconds: 20',
    'ringTimeoutSeconds: 20000',
    22,
    25,
    /20000 is too large \(at most 300\)/,
  ],
  [
    'a ring timeout that is no number',
    'ringTimeoutSeconds: 20',
    'ringTimeoutSeconds: 20s',
    22,
    25,
    /expected a number, found "20s", which is text/,
  ],
  [
    'a ring timeout that is no whole number',
    'ringTimeoutSeconds: 20',
    'ringTimeoutSeconds: 20.5',
    22,
    25,
    /expected a whole number, found 20.5/,
  ],
  [
    'a key without its unit',
    'ringTimeoutSeconds: 20',
    'ringTimeout: 20',
    22,
    5,
    /ringTimeout: is not a known key .*did you mean ringTimeoutSeconds\?/,
  ],
  [
    'a presence with a typing error',
    'accept: [Available]',
    'accept: [Availabel]',
    23,
    26,
    /"Availabel" is not accepted .*did you mean Available\?/,
  ],
  ['an empty list of presences', 'accept: [Available]', 'accept: []', 23, 25, /needs at least one presence value/],
  [
    'a member who does not exist',
    'agent: Anna',
    'agent: Ana',
    25,
    16,
    /there is no agent "Ana" \(agents: Anna, Ben; did you mean Anna\?\)/,
  ],
  ['a member twice', 'agent: Ben', 'agent: Anna', 26, 16, /agent "Anna" is there twice \(first in line 25\)/],
  ['a level below one', 'level: 2', 'level: 0', 27, 16, /0 is too small \(at least 1\)/],
  ['a member that is just a name', '- agent: Anna', '- Anna', 25, 9, /expected keys with values, found "Anna"/],
  ['two agents of one name', 'name: Ben', 'name: Anna', 35, 11, /agent "Anna" is there twice \(first in line 29\)/],
  ['an agent without an endpoint', /endpoints:\n {6}- \{.*\}/.source, 'endpoints: []', 36, 16, /needs an endpoint/],
  [
    'an endpoint of an unknown kind',
    'kind: pbx, trunk',
    'kind: sip, trunk',
    37,
    17,
    /"sip" is not a known kind \(accepted: teams, pbx, web/,
  ],
  [
    'an endpoint on a trunk that does not exist',
    'trunk: avaya',
    'trunk: avay',
    37,
    29,
    /there is no trunk "avay" \(trunks of kind pbx: avaya; did you mean avaya\?\)/,
  ],
  [
    'an endpoint on a trunk of another kind',
    'trunk: avaya',
    'trunk: teams',
    37,
    29,
    /trunk "teams" is of kind teams, the endpoint of kind pbx/,
  ],
  [
    'an agent number without a plus',
    '"+493010002001"',
    '"493010002001"',
    33,
    17,
    /"493010002001" must be a number in E\.164/,
  ],
  [
    'an agent number that YAML reads as a number',
    '"+493010002001"',
    '493010002001',
    33,
    17,
    /expected text, found 493010002001, which is a number; put it in quotes/,
  ],
  [
    'a user id that is no UUID',
    '00000000-0000-4000-8000-000000000201',
    'anna@example.com',
    34,
    22,
    /must be the object id of the user in Entra/,
  ],
  ['a Teams endpoint without a user id', /\n {8}entraUserId: .*/.source, '', 31, 9, /entraUserId: is missing/],
  ['a PBX user with a host', '"4711"', '"4711@pbx"', 37, 42, /must be the user part of a SIP address/],
  ['a dialled number in national form', '"+49301000100"', '"0301000100"', 39, 13, /must be a number in E\.164/],
  ['a dialled number with spaces', '"+49301000100"', '"+49 30 1000100"', 39, 13, /digits only/],
  [
    'a dialled number twice',
    '"+49301000100"\n',
    '"+49301000100"\n    queue: support\n  - number: "+49301000100"\n',
    41,
    13,
    /number \+49301000100 is there twice \(first in line 39\)/,
  ],
  [
    'a number to a queue that does not exist',
    'queue: support',
    'queue: suport',
    40,
    12,
    /there is no queue "suport" \(queues: support; did you mean support\?\)/,
  ],
  [
    'a greeting that does not exist',
    'greeting: hello',
    'greeting: helo',
    41,
    15,
    /there is no prompt "helo" .*did you mean hello\?/,
  ],
  [
    'a tenant that does not exist',
    '    greeting: hello',
    '    tenant: demos',
    41,
    13,
    /there is no tenant "demos" \(tenants: demo; did you mean demo\?\)/,
  ],
  [
    'a tenant left open where there are two',
    'trunks:',
    '  - { name: other, country: AT, timeZone: Europe/Vienna }\ntrunks:',
    18,
    5,
    /does not name its tenant \(there are several: demo, other\)/,
  ],
  ['a key twice', 'country: DE', 'country: DE\n    country: AT', 5, 5, /not valid YAML: Map keys must be unique/],
  ['broken brackets', '[203.0.113.0/24]', '[203.0.113.0/24', 10, 3, /not valid YAML/],
  ['a tab as indentation', '    country: DE', '\tcountry: DE', 4, 1, /not valid YAML/],
  ['a second document', 'trunks:', '---\ntrunks:', 6, 1, /a second document begins here/],
  [
    'a list where keys belong',
    'presence: { accept: [Available] }',
    'presence: [Available]',
    23,
    15,
    /expected keys with values, found a list/,
  ],
  ['nothing where a list belongs', /numbers:[^]*/.source, 'numbers:\n', 38, 9, /expected a list, found nothing/],
  [
    'a display name that is too long',
    'name: Ben',
    `name: Ben\n    displayName: ${'x'.repeat(201)}`,
    36,
    18,
    /must not be longer than 200 characters/,
  ],
  [
    'a name with a space',
    'name: support',
    'name: tech support',
    20,
    11,
    /must start with a letter or digit and hold only letters/,
  ],
  [
    'a boolean as text',
    'name: Ben',
    'name: Ben\n    signedIn: "yes"',
    36,
    15,
    /expected true or false, found "yes", which is text/,
  ],
];

function broken(from: string, to: string): string {
  const changed = GOOD.includes(from) ? GOOD.replace(from, () => to) : GOOD.replace(new RegExp(from), () => to);
  expect(changed).not.toBe(GOOD);
  return changed;
}

describe('a configuration document', () => {
  it('without mistakes is accepted', () => {
    expect(parseDocument(GOOD, 'cc.yaml')).toMatchObject({ ok: true });
  });

  it('the ring timeout of a Teams endpoint is capped at 15 s where nothing is said', () => {
    const read = parseDocument(GOOD, 'cc.yaml');
    const caps = read.ok && read.document.agents.map(({ endpoints: [one] }) => [one?.kind, one?.maxRingSeconds]);
    expect(caps).toEqual([
      ['teams', 15],
      ['pbx', undefined],
    ]);
  });

  it.each(MISTAKES)(
    'with %s is refused with the place and a useful sentence',
    (_sentence, from, to, line, column, says) => {
      const result = parseDocument(broken(from, to), 'cc.yaml');
      if (result.ok) {
        throw new Error('accepted');
      }
      const all = result.lines.join('\n');
      expect(all).toMatch(says);
      const told = result.lines.filter((text) => says.test(text));
      expect(told[0]).toMatch(new RegExp(`^cc\\.yaml:${line}:${column}: `));
    },
  );

  it.each([
    ['nothing', ''],
    ['a comment only', '# nothing\n'],
    ['a word', 'hello\n'],
    ['a list', '- a\n- b\n'],
    [
      'an alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
        .split('')
        .map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`)
        .join('\n')}\n`,
    ],
    ['bytes', '\u0000\u0001\u0002'],
  ])('that is %s is refused and does no harm', (_what, text) => {
    const result = parseDocument(text, 'cc.yaml');
    expect(result.ok).toBe(false);
    expect(result.ok ? [] : result.lines).not.toEqual([]);
  });

  it('tells all mistakes at once, in the order of the file', () => {
    const text = broken('country: DE', 'country: XX').replace('longest-idle', 'random').replace('level: 2', 'level: 0');
    const result = parseDocument(text, 'cc.yaml');
    expect(result.ok ? [] : result.problems.map((problem) => problem.path)).toEqual([
      'tenants[0].country',
      'queues[0].strategy',
      'queues[0].members[1].level',
    ]);
  });

  it('reads an unquoted number with its plus', () => {
    const result = parseDocument(broken('"+49301000100"', '+49301000100'), 'cc.yaml');
    expect(result.ok && result.document.numbers[0]!.number).toBe('+49301000100');
  });

  it('may have PBX agents only', () => {
    const text = GOOD.replace(/ {2}- name: teams[^]*?(?= {2}- name: avaya)/, '')
      .replace(/ {2}- name: Anna[^]*?(?= {2}- name: Ben)/, '')
      .replace(/ {6}- agent: Anna\n/, '');
    const result = parseDocument(text, 'cc.yaml');
    expect(result.ok ? [] : result.lines).toEqual([]);
  });
});
