import fc from 'fast-check';
import { AddressRanges } from '../../../src/signaling/address-ranges';
import { readRefer, transferNotify } from '../../../src/signaling/teams/refer';
import { referPolicy } from '../../../src/signaling/teams/refer-policy';
import { silentLog } from '../../../src/lib/log';
import type { SipRequest, SipResponse } from '../../../src/signaling/srf';
import { inviteRefusal, TeamsInbound } from '../../../src/signaling/teams/teams-inbound';
import { teamsTrunk } from '../../../src/signaling/teams/teams-trunk';
import { teamsSettings } from '../../../src/config/documents/trunk-settings';
import { isSuspicious, judgeAnswer } from '../../../src/calls/answer-policy';

const USER = '11111111-2222-4333-8444-555555555555';
const TO_USER = `<sip:sip.pstnhub.microsoft.com:5061;transport=tls;x-m=8:orgid:${USER};x-t=aaaa>`;

describe('reading REFER of Teams', () => {
  it('a Teams user has no user part, only an id', () => {
    expect(readRefer(TO_USER, '<sip:a@b;x-ti=1>')).toEqual({
      uri: TO_USER.slice(1, -1),
      referredBy: '<sip:a@b;x-ti=1>',
      host: 'sip.pstnhub.microsoft.com',
      user: undefined,
      entraUserId: USER,
    });
  });

  it('a number is the user part', () => {
    expect(readRefer('<sip:+49301000100@sip.pstnhub.microsoft.com:5061;transport=tls>', undefined)).toMatchObject({
      user: '+49301000100',
      entraUserId: undefined,
    });
  });

  it.each([
    ['nothing', undefined],
    ['an empty header', '  '],
    ['another scheme', '<tel:+49301000100>'],
    ['two targets', '<sip:a@b>, <sip:c@d>'],
    ['a line break', '<sip:a@b>\r\nX: y'],
    ['what is endless', `<sip:${'a'.repeat(2_000)}@b>`],
  ])('is not carried out: %s', (_what, text) => {
    expect(readRefer(text, undefined)).toBeUndefined();
  });

  it('whatever comes, it never throws, and what it takes stands in the header as it was', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 400 }),
          fc.string({ maxLength: 60 }).map((s) => `<sip:${s}@sip.pstnhub.microsoft.com;x-m=8:orgid:${USER}>`),
        ),
        fc.option(fc.string({ maxLength: 50 }), { nil: undefined }),
        (to, by) => {
          const refer = readRefer(to, by);
          if (refer) {
            expect(to).toContain(refer.uri);
            expect(refer.uri).not.toMatch(/[\r\n<>]/);
            expect(refer.referredBy === undefined || refer.referredBy === by).toBe(true);
          }
        },
      ),
    );
  });
});

describe('where a REFER may lead', () => {
  const trunk = teamsTrunk('t1', 'teams', teamsSettings.parse({ sbcName: 'sbc.example.com' }));
  const policy = referPolicy(trunk, (e164) => Promise.resolve(e164 === '+49301000100' ? 'queue-1' : undefined));
  const target = (text: string) => {
    const refer = readRefer(text, '<sip:x@y>');
    return refer ? policy.target(refer) : Promise.resolve('unreadable');
  };

  it('the number of a queue: back into the queue', async () => {
    expect(await target('<sip:+49301000100@sip.pstnhub.microsoft.com>')).toEqual({ kind: 'queue', queueId: 'queue-1' });
  });

  it('a Teams user or a number: to Teams, unchanged', async () => {
    expect(await target(TO_USER)).toEqual({
      kind: 'refer',
      trunkId: 't1',
      referTo: TO_USER.slice(1, -1),
      referredBy: '<sip:x@y>',
    });
  });

  it('anybody else’s host: nowhere', async () => {
    expect(await target('<sip:+491900123456@evil.example>')).toBeUndefined();
  });

  it('only from the published ranges', () => {
    expect(policy.accepts('52.114.148.0')).toBe(true);
    expect(policy.accepts('52.123.255.255')).toBe(true);
    expect(policy.accepts('52.116.0.1')).toBe(false);
    expect(policy.accepts('127.0.0.1')).toBe(false);
  });
});

describe('telling how a transfer goes', () => {
  it('in sipfrags; the final one ends the subscription', () => {
    expect(transferNotify(180)).toMatchObject({
      headers: { 'Subscription-State': 'active;expires=60' },
      body: 'SIP/2.0 180 Ringing\r\n',
    });
    expect(transferNotify(486)).toMatchObject({
      headers: { Event: 'refer', 'Subscription-State': 'terminated;reason=noresource' },
      body: 'SIP/2.0 486 Busy Here\r\n',
    });
  });
});

describe('an INVITE of Teams', () => {
  const request = (uri: string, ...headers: string[]) => ({ uri, has: (name: string) => headers.includes(name) });

  it('is told apart: forwarded, replacing, or an agent who dials out', () => {
    expect(inviteRefusal(request('sip:+4917@sbc.example.com;cause=302'))).toBe('forwarded-call');
    expect(inviteRefusal(request('sip:+4917@sbc.example.com', 'History-Info'))).toBe('forwarded-call');
    expect(inviteRefusal(request('sip:+4917@sbc.example.com', 'Replaces'))).toBe('replaces');
    expect(inviteRefusal(request('sip:+4917@sbc.example.com'))).toBe('outgoing-call');
  });
});

describe('address ranges', () => {
  it('hold every address of theirs, in both ways to write it, and no other', () => {
    const ranges = new AddressRanges(['52.112.0.0/14', '2603:1000::/24', '192.0.2.7']);
    expect(ranges.has('::ffff:52.115.255.255')).toBe(true);
    expect(ranges.has('[2604:1000::1]')).toBe(false);
    expect(ranges.has('[2603:1000::1]')).toBe(true);
    expect(ranges.has('192.0.2.7')).toBe(true);
    expect(ranges.has('192.0.2.8')).toBe(false);
    expect(ranges.has('rubbish')).toBe(false);
  });
});

describe('whether an answer is believed', () => {
  const policy = { confirm: 'none', suspicious: 'refuse', suspiciousAnswerMs: 1_000 } as const;

  it.each([
    ['a person who was rung', { afterMs: 300, rang: true, unansweredMs: 17_000 }, false],
    ['a mailbox at once, without ringing', { afterMs: 300, rang: false, unansweredMs: 17_000 }, true],
    ['slow, without ringing', { afterMs: 1_000, rang: false, unansweredMs: 17_000 }, false],
    ['after Teams took the call away', { afterMs: 17_000, rang: true, unansweredMs: 17_000 }, true],
  ])('%s', (_who, answer, suspicious) => {
    expect(isSuspicious(answer, 1_000)).toBe(suspicious);
    expect(judgeAnswer(answer, policy)).toBe(suspicious ? 'refuse' : 'believe');
    expect(judgeAnswer(answer, { ...policy, suspicious: 'accept', confirm: 'dtmf' })).toBe('confirm');
    expect(judgeAnswer(answer, undefined)).toBe('believe');
  });
});

describe('OPTIONS from outside a dialog', () => {
  const inbound = (stopping = false) => {
    const door = new TeamsInbound({
      metrics: { teamsRefused: () => undefined },
      log: silentLog(),
      stopping: () => stopping,
    });
    door.load([
      teamsTrunk('t1', 'direct', teamsSettings.parse({ sbcName: 'sbc.example.com' })),
      teamsTrunk(
        't2',
        'behind',
        teamsSettings.parse({
          sbcName: 'acd.example.com',
          form: 'behind-sbc',
          sources: ['198.51.100.7/32'],
          proxies: [{ host: 'sbc.example.net', port: 5060 }],
        }),
      ),
    ]);
    return (request: { uri: string; protocol: string; source_address: string }): number | undefined => {
      let status: number | undefined;
      const taken = door.options(
        request as SipRequest,
        { send: (code: number) => (status = code) } as unknown as SipResponse,
      );
      return taken ? status : undefined;
    };
  };
  const ours = { uri: 'sip:sbc.example.com:5061', protocol: 'tls' };

  it('of Microsoft, and of the SBC in front, get 200; while the node drains 503; strangers are somebody else’s', () => {
    expect(inbound()({ ...ours, source_address: '52.112.7.7' })).toBe(200);
    expect(inbound()({ ...ours, source_address: '203.0.113.9' })).toBe(403);
    const front = { uri: 'sip:10.0.0.5:5060', protocol: 'tcp', source_address: '198.51.100.7' };
    expect(inbound()(front)).toBe(200);
    expect(inbound(true)(front)).toBe(503);
    expect(inbound()({ ...front, source_address: '198.51.100.8' })).toBeUndefined();
  });
});
