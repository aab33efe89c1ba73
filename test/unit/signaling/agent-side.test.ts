import { readFileSync } from 'node:fs';
import { refusalOutcome } from '../../../src/signaling/agent-outcome';
import { parseHostports } from '../../../src/signaling/drachtio-link';
import { legOf, originateArguments } from '../../../src/signaling/originate';
import { pbxInvite } from '../../../src/signaling/pbx/pbx-invite';
import { isHoldOffer } from '../../../src/signaling/reinvite';
import { tableRows } from '../../support/markdown-table';

describe('the INVITE to a PBX agent', () => {
  it('goes to the extension over the transport of the trunk', () => {
    const trunk = {
      host: 'pbx.example',
      port: 5070,
      transport: 'tcp' as const,
      fromDomain: 'acd.example',
      auth: undefined,
    };
    const invite = pbxInvite(trunk, '4711#1', { number: '+491700000001', name: undefined });
    expect(invite.uri).toBe('sip:4711%231@pbx.example:5070;transport=tcp');
    expect(invite.headers['From']).toBe('<sip:+491700000001@acd.example>');
  });
});

describe('what a refusal says about the agent', () => {
  it.each([
    [486, 'busy'],
    [600, 'busy'],
    [603, 'declined'],
    [480, 'unreachable'],
    [404, 'unreachable'],
    [403, 'unreachable'],
    [408, 'no-answer'],
    [488, 'failed'],
    [503, 'failed'],
    [500, 'failed'],
  ])('%i is %s', (status, outcome) => {
    expect(refusalOutcome(status)).toBe(outcome);
  });

  it('480 after ringing is no answer: with voicemail off by policy, Teams ends an unanswered call so', () => {
    expect(refusalOutcome(480, { rang: true })).toBe('no-answer');
  });

  it('a trunk may read a status otherwise', () => {
    expect(refusalOutcome(480, { rang: true, overrides: { 480: 'busy' } })).toBe('busy');
  });
});

describe('the originate of an agent leg', () => {
  const channel = '6f1c7f4e-7a0b-4d52-9d53-0f6d1b0c9a11';
  const options = {
    channel,
    codecs: ['PCMA', 'PCMU'] as const,
    srtp: true,
    musicUri: 'tone_stream://%(400,200,425)',
    mediaTimeoutMs: 7_200_000,
    ringTimeoutMs: 15_000,
    sipServer: '127.0.0.1:5060',
  };

  it('escapes commas, so that FreeSWITCH reads each variable whole', () => {
    const text = originateArguments(options);
    expect(text).toContain('absolute_codec_string=PCMA\\,PCMU,');
    expect(text).toContain('hold_music=tone_stream://%(400\\,200\\,425),');
    expect(text).toContain('rtp_secure_media_outbound=mandatory:AES_CM_128_HMAC_SHA1_80');
    expect(text.endsWith(`sofia/drachtio_mrf/leg-${channel}@127.0.0.1:5060 &park()`)).toBe(true);
  });

  it('asks for no SRTP on a plain leg', () => {
    expect(originateArguments({ ...options, srtp: false })).not.toContain('rtp_secure');
  });

  it('is recognised again by the request URI of its INVITE', () => {
    expect(legOf(`sip:leg-${channel}@127.0.0.1:5060`)).toBe(channel);
    expect(legOf('sip:+49301000100@127.0.0.1')).toBeUndefined();
  });
});

describe('small readers', () => {
  it('reads what drachtio says it listens on', () => {
    expect(parseHostports('tls/127.0.0.1:5061,udp/[::1]:5060,rubbish,ws/10.0.0.1:443')).toEqual([
      { protocol: 'tls', host: '127.0.0.1', port: 5061 },
      { protocol: 'udp', host: '[::1]', port: 5060 },
      { protocol: 'ws', host: '10.0.0.1', port: 443 },
    ]);
  });

  it('knows a hold by its direction or by the null address', () => {
    expect(isHoldOffer('v=0\r\na=inactive\r\n')).toBe(true);
    expect(isHoldOffer('v=0\r\na=sendonly\r\n')).toBe(true);
    expect(isHoldOffer('c=IN IP4 0.0.0.0\r\n')).toBe(true);
    expect(isHoldOffer('v=0\r\na=sendrecv\r\n')).toBe(false);
    expect(isHoldOffer('v=0\r\na=recvonly\r\n')).toBe(false);
  });
});

describe('docs/teams.md', () => {
  const rows = tableRows(readFileSync('docs/teams.md', 'utf8'), 'status');

  it('has the table of final responses as they are read', () => {
    const outcomes = rows
      .filter(([status]) => /^\d{3}/.test(status ?? ''))
      .map(([status = '', outcome]) => [
        outcome,
        refusalOutcome(Number(status.slice(0, 3)), { rang: status.includes('after ringing') }),
      ]);
    expect(outcomes.every(([written, real]) => written === real)).toBe(true);
    const named = new Set(rows.map(([status = '']) => Number(status.slice(0, 3))));
    for (let status = 400; status < 700; status++) {
      expect(named.has(status) || refusalOutcome(status) === 'failed').toBe(true);
    }
  });
});
