import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GRAPH_RULES } from '../../../src/embedded/teams/graph-rules';
import { RULES, type RuleName } from '../../../src/embedded/teams/rules';
import { judgeInvite, judgeOptions, judgeReinvite, nameCovers } from '../../../src/embedded/teams/sip-rules';
import { parseSipMessage, type SipMessage } from '../../../src/embedded/sip/message';

const KEY = 'inline:tHP9vvaKFpF0cdvlW5prUl1w/OP3mX1ykReJUTZp';
const SDP = [
  'v=0',
  'o=FreeSWITCH 1795336441 1795336442 IN IP4 127.0.0.1',
  's=FreeSWITCH',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 40050 RTP/SAVP 8 101',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-15',
  `a=crypto:7 AES_CM_128_HMAC_SHA1_80 ${KEY}`,
  'a=ptime:20',
  '',
].join('\r\n');

const CONTEXT = { peerNames: ['sbc1.example.com'], domains: ['example.com'] };

const INVITE = [
  'INVITE sip:+14255550100@sip.pstnhub.microsoft.com;user=phone;transport=tls SIP/2.0',
  'Via: SIP/2.0/TLS sbc1.example.com:5061;branch=z9hG4bK1',
  'Max-Forwards: 70',
  'From: "Caller" <sip:+12065550123@sbc1.example.com;transport=tls;user=phone>;tag=1',
  'To: <sip:+14255550100@sip.pstnhub.microsoft.com>',
  'Call-ID: 1@sbc1.example.com',
  'CSeq: 1 INVITE',
  'Contact: <sip:+12065550123@sbc1.example.com:5061;transport=tls>',
  'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY',
  'Session-Expires: 1800',
  'Content-Type: application/sdp',
];

/** The model INVITE of 1.5 with lines exchanged. A change of a header's name to '' takes the line out. */
function invite(changes: Readonly<Record<string, string>> = {}, sdp: string = SDP): SipMessage {
  return build(INVITE, changes, sdp);
}

function build(lines: readonly string[], changes: Readonly<Record<string, string>>, sdp: string): SipMessage {
  const names = Object.keys(changes);
  const kept = lines
    .map((line) => {
      const name = names.find((n) => line.startsWith(n === 'INVITE' || n === 'OPTIONS' ? `${n} ` : `${n}:`));
      return name === undefined ? line : changes[name]!;
    })
    .concat(names.filter((n) => n.startsWith('+')).map((n) => changes[n]!))
    .filter((line) => line !== '');
  const head = [...kept, `Content-Length: ${Buffer.byteLength(sdp)}`, '', ''].join('\r\n');
  return parseSipMessage(Buffer.from(head + sdp));
}

const OPTIONS = [
  'OPTIONS sip:sip.pstnhub.microsoft.com:5061 SIP/2.0',
  'Via: SIP/2.0/TLS sbc1.example.com:5061;branch=z9hG4bK2',
  'Max-Forwards: 70',
  'From: <sip:sbc1.example.com>;tag=1',
  'To: <sip:sip.pstnhub.microsoft.com>',
  'Call-ID: 2@sbc1.example.com',
  'CSeq: 1 OPTIONS',
  'Contact: <sip:sbc1.example.com:5061;transport=tls>',
];
const options = (changes: Readonly<Record<string, string>> = {}): SipMessage => build(OPTIONS, changes, '');

/** Rules that some test of this file has broken; the last test finds those that none has. */
const proved = new Set<RuleName>();

function expectRefused(message: SipMessage, name: RuleName, offending: string | RegExp, context = CONTEXT): void {
  const judge = message.method === 'OPTIONS' ? judgeOptions : judgeInvite;
  const { refused } = judge(message, context);
  expect(refused?.rule).toBe(name);
  expect(refused?.offending).toMatch(offending);
  proved.add(name);
}

test('the model INVITE and OPTIONS of the rules break none', () => {
  expect(judgeInvite(invite(), CONTEXT)).toEqual({ refused: undefined, recorded: [] });
  expect(judgeOptions(options(), CONTEXT)).toEqual({ refused: undefined, recorded: [] });
});

describe('who calls', () => {
  test.each<[string, Record<string, string>, RuleName, string]>([
    ['an IP in Contact', { Contact: 'Contact: <sip:x@192.0.2.1:5061;transport=tls>' }, 'contact-ip', '192.0.2.1'],
    ['an IPv6 address in Contact', { Contact: 'Contact: <sip:x@[::1]:5061;transport=tls>' }, 'contact-ip', '::1'],
    ['no Contact and no Record-Route', { Contact: '' }, 'contact-missing', 'neither'],
    ['a sips: Contact', { Contact: 'Contact: <sips:x@sbc1.example.com:5061>' }, 'contact-sips', 'sips:'],
    ['a Record-Route with an IP', { '+': 'Record-Route: <sip:192.0.2.9;lr>' }, 'record-route-ip', '192.0.2.9'],
    [
      'a Contact that is not in the certificate',
      { Contact: 'Contact: <sip:x@sbc2.example.com:5061;transport=tls>' },
      'contact-not-in-certificate',
      'sbc2.example.com is not in sbc1.example.com',
    ],
    [
      'a Record-Route that is not in the certificate, though Contact is',
      { '+': 'Record-Route: <sip:proxy.example.com;lr>' },
      'contact-not-in-certificate',
      'proxy.example.com',
    ],
  ])('%s is refused', (_what, changes, name, offending) => {
    expectRefused(invite(changes), name, offending);
    if (changes.Contact !== undefined) {
      const inOptions = changes.Contact.replace('x@', '');
      expectRefused(options({ ...changes, Contact: inOptions }), name, offending);
    }
  });

  test('a domain of no tenant is refused, the parent of a known one is not enough', () => {
    expectRefused(invite(), 'domain-unknown', 'sbc1.example.com', { ...CONTEXT, domains: ['other.example'] });
    expectRefused(invite(), 'domain-unknown', 'sbc1.example.com', { ...CONTEXT, domains: ['com'] });
    expectRefused(invite(), 'contact-not-in-certificate', 'no certificate', { ...CONTEXT, peerNames: [] });
    expect(judgeInvite(invite(), { ...CONTEXT, domains: ['SBC1.example.com'] }).refused).toBeUndefined();
  });

  test('a wildcard stands for one label', () => {
    expect(nameCovers('*.contoso.com', 'SBC1.contoso.com')).toBe(true);
    expect(nameCovers('*.contoso.com', 'a.b.contoso.com')).toBe(false);
    expect(nameCovers('*.contoso.com', 'contoso.com')).toBe(false);
    expect(nameCovers('contoso.com', 'sbc.contoso.com')).toBe(false);
  });
});

describe('whom', () => {
  test.each<[string, RuleName]>([
    ['INVITE sip:14255550100@sip.pstnhub.microsoft.com;user=phone SIP/2.0', 'request-uri-plus'],
    ['INVITE sip:anna@sip.pstnhub.microsoft.com SIP/2.0', 'request-uri-number'],
    ['INVITE sip:+0123@sip.pstnhub.microsoft.com SIP/2.0', 'request-uri-number'],
    ['INVITE sip:sip.pstnhub.microsoft.com SIP/2.0', 'request-uri-number'],
    ['INVITE sip:+14255550100@127.0.0.1 SIP/2.0', 'request-uri-host'],
    ['INVITE sip:+14255550100@sip-all.pstnhub.microsoft.com SIP/2.0', 'request-uri-host'],
    ['INVITE tel:+14255550100 SIP/2.0', 'request-uri-malformed'],
    ['INVITE sips:+14255550100@sip.pstnhub.microsoft.com SIP/2.0', 'request-uri-malformed'],
  ])('%s is refused', (line, name) => {
    expectRefused(invite({ INVITE: line }), name, line.split(' ')[1]!);
  });

  test('an extension in the user part is no obstacle', () => {
    const line = 'INVITE sip:+14255550100;ext=1001@sip2.pstnhub.microsoft.com;user=phone SIP/2.0';
    expect(judgeInvite(invite({ INVITE: line }), CONTEXT).refused).toBeUndefined();
  });

  test('a missing user=phone and a From without a number are recorded, not refused', () => {
    const line = 'INVITE sip:+14255550100@sip.pstnhub.microsoft.com SIP/2.0';
    const verdict = judgeInvite(invite({ INVITE: line, From: 'From: <sip:bob@sbc1.example.com>;tag=1' }), CONTEXT);
    expect(verdict.refused).toBeUndefined();
    expect(verdict.recorded.map((b) => b.rule)).toEqual(['user-phone', 'from-number']);
    verdict.recorded.forEach((b) => proved.add(b.rule));
    const anonymous = invite({ From: 'From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=1' });
    expect(judgeInvite(anonymous, CONTEXT).recorded).toEqual([]);
  });
});

describe('extensions and session timer', () => {
  test.each<[string, RuleName]>([
    ['Replaces: 1@x;to-tag=1;from-tag=2', 'replaces-refused'],
    ['Require: replaces', 'extension-unsupported'],
    ['Session-Expires: 1799', 'session-interval'],
  ])('%s is refused', (line, name) => {
    const taken = name === 'session-interval' ? { 'Session-Expires': '' } : {};
    expectRefused(invite({ ...taken, '+': line }), name, line.split(': ')[1]!);
  });

  test('100rel and timer may be required, and no session timer is needed', () => {
    const message = invite({ 'Session-Expires': '', '+': 'Require: 100rel, timer' });
    expect(judgeInvite(message, CONTEXT).refused).toBeUndefined();
  });
});

describe('media', () => {
  const change = (from: string | RegExp, to: string): string => SDP.replace(from, to);
  test.each<[string, string, RuleName, string | RegExp]>([
    ['no offer', '', 'delayed-offer', 'no body'],
    ['plain RTP', change('RTP/SAVP', 'RTP/AVP'), 'srtp-missing', 'RTP/AVP 8 101'],
    ['SAVP without a key', change(/a=crypto.*\r\n/, ''), 'srtp-missing', 'no a=crypto'],
    ['another suite', change('SHA1_80', 'SHA1_32'), 'crypto-suite', 'AES_CM_128_HMAC_SHA1_32'],
    [
      'two suites',
      change('a=ptime', `a=crypto:8 AEAD_AES_128_GCM ${KEY}\r\na=ptime`),
      'crypto-several',
      'AES_CM_128_HMAC_SHA1_80, AEAD_AES_128_GCM',
    ],
    [
      'two keys of one suite',
      change('a=ptime', `a=crypto:8 AES_CM_128_HMAC_SHA1_80 ${KEY}\r\na=ptime`),
      'crypto-several',
      'SHA1_80, ',
    ],
    ['a key that is too short', change(KEY, 'inline:AAAA'), 'crypto-malformed', 'inline:…'],
    ['a payload type twice', change('8 101\r', '8 101 101\r'), 'payload-duplicate', '8 101 101'],
    [
      'a payload type mapped twice',
      change('a=fmtp', 'a=rtpmap:101 PCMU/8000\r\na=fmtp'),
      'payload-duplicate',
      '101 PCMU',
    ],
    ['hold by 0.0.0.0', change('c=IN IP4 127.0.0.1', 'c=IN IP4 0.0.0.0'), 'hold-zero-address', '0.0.0.0'],
    ['no codec that Teams has', change('8 101\r', '3 101\r').replace('8 PCMA', '3 GSM'), 'codec-unknown', 'GSM'],
    ['no audio line', change('m=audio', 'm=video'), 'sdp-unreadable', 'm=video'],
    ['an unreadable SDP', change('c=IN IP4 127.0.0.1\r\n', ''), 'sdp-unreadable', /address/],
  ])('%s is refused', (_what, sdp, name, offending) => {
    expectRefused(invite({}, sdp), name, offending);
  });

  test('a body that is no SDP is refused with its type', () => {
    expectRefused(invite({ 'Content-Type': 'Content-Type: text/plain' }), 'media-type', 'text/plain');
  });

  test('the record of a bad key does not hold the key', () => {
    const { refused } = judgeInvite(invite({}, change(KEY, 'inline:c2VjcmV0')), CONTEXT);
    expect(refused?.offending).not.toContain('c2VjcmV0');
  });

  test.each(['|2^31', '|2^31|1:1'])('the key form %s is taken', (form) => {
    expect(judgeInvite(invite({}, change(KEY, KEY + form)), CONTEXT).refused).toBeUndefined();
  });
});

describe('a re-INVITE', () => {
  const reinvite = (sdp: string) => judgeReinvite(invite({}, sdp), SDP);

  test('with unchanged SDP, with a=inactive and without SDP is in order', () => {
    for (const sdp of [SDP, `${SDP}a=inactive\r\n`, '']) {
      expect(reinvite(sdp)).toEqual({ refused: undefined, recorded: [] });
    }
  });

  test('that moves the media or holds by sendonly is recorded', () => {
    const moved = reinvite(SDP.replace('40050', '40060')).recorded;
    expect(moved).toEqual([{ rule: 'media-moved', offending: '127.0.0.1:40050 → 127.0.0.1:40060' }]);
    const held = reinvite(`${SDP}a=sendonly\r\n`).recorded;
    expect(held).toEqual([{ rule: 'hold-direction', offending: 'a=sendonly' }]);
    [...moved, ...held].forEach((b) => proved.add(b.rule));
  });

  test('that holds by 0.0.0.0 or drops SRTP is refused', () => {
    expect(reinvite(SDP.replace('4 127.0.0.1\r\nt', '4 0.0.0.0\r\nt')).refused?.rule).toBe('hold-zero-address');
    expect(reinvite(SDP.replace('SAVP', 'AVP')).refused?.rule).toBe('srtp-missing');
  });
});

describe('OPTIONS', () => {
  test.each<[Record<string, string>, RuleName, string]>([
    [{ OPTIONS: 'OPTIONS sip:ping@sip.pstnhub.microsoft.com:5061 SIP/2.0' }, 'options-user', 'ping@'],
    [{ OPTIONS: 'OPTIONS tel:+1425 SIP/2.0' }, 'request-uri-malformed', 'tel:'],
    [{ From: 'From: <sip:+14255550100@sbc1.example.com>;tag=1' }, 'options-tel', 'from: <sip:'],
    [{ Contact: 'Contact: <sip:sbc1.example.com:5061>' }, 'options-contact-transport', '<sip:sbc1'],
  ])('%j is refused', (changes, name, offending) => {
    expectRefused(options(changes), name, offending.replace('+', '\\+'));
  });
});

test('no offer, however odd, makes the judge fall over', () => {
  const line = fc.oneof(
    fc.constantFrom(...SDP.split('\r\n')),
    fc.string({ maxLength: 60 }),
    fc.constantFrom('m=audio', 'm=audio 1 RTP/SAVP', 'a=crypto:', 'a=crypto:1', 'c=IN IP4', 'a=rtpmap:8', 'm='),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
      const message = invite({}, lines.join('\r\n'));
      const { refused } = judgeInvite(message, CONTEXT);
      expect(refused === undefined || refused.rule in RULES).toBe(true);
      expect(refused === undefined || refused.offending.length <= 300).toBe(true);
    }),
  );
});

test('every rule of the table was broken by a test, but those that only a whole call can break', () => {
  // Broken in rules-of-the-proxy.test.ts and a-call-to-a-simulated-agent.test.ts.
  const byWholeCalls: RuleName[] = [
    'number-unknown',
    'voice-disabled',
    'ack-missing',
    'refer-to-changed',
    'referred-by-changed',
    'refer-answer',
    'refer-notify',
    'hold-answer',
    'refresh-refused',
    'refresh-changed',
  ];
  const missing = (Object.keys(RULES) as RuleName[]).filter(
    (name) => !proved.has(name) && !byWholeCalls.includes(name),
  );
  expect(missing).toEqual([]);
});

test('docs/simulated-teams.md has the same table of rules', () => {
  const text = readFileSync(join(__dirname, '../../../docs/simulated-teams.md'), 'utf8');
  const sip = text.slice(0, text.indexOf('### Rules of Graph'));
  const rows = [...sip.matchAll(/^\| `([a-z0-9-]+)` +\| ([\d.]+) +\| (.+?) +\| (.+?) +\|$/gm)];
  const expected = Object.entries(RULES).map(([name, rule]) => {
    const code = 'subcode' in rule ? `${rule.status}/${rule.subcode}` : String(rule.status);
    const answer = rule.status === 0 ? 'recorded' : rule.documented ? code : `${code} (chosen)`;
    return [name, rule.section, rule.text, answer];
  });
  expect(rows.map((row) => row.slice(1, 5))).toEqual(expected);
});

test('docs/simulated-teams.md has the same table of Graph’s rules', () => {
  const text = readFileSync(join(__dirname, '../../../docs/simulated-teams.md'), 'utf8');
  const part = text.slice(text.indexOf('### Rules of Graph'), text.indexOf('## Control API'));
  const rows = [...part.matchAll(/^\| `([a-z0-9-]+)` +\| ([\d.]+) +\| (.+?) +\| (.+?) +\|$/gm)];
  const expected = Object.entries(GRAPH_RULES).map(([name, rule]) => {
    const answer = rule.status === 0 ? 'recorded' : String(rule.status);
    return [name, rule.section, rule.text, rule.documented ? answer : `${answer} (chosen)`];
  });
  expect(rows.map((row) => row.slice(1, 5))).toEqual(expected);
});
