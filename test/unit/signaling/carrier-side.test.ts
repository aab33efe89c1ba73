import { createHash } from 'node:crypto';
import { CallLimits } from '../../../src/signaling/carrier/call-limits';
import { callerIdentity, toE164, userOf } from '../../../src/signaling/carrier/caller-identity';
import { DigestChallenger, parseDigest } from '../../../src/signaling/carrier/digest';
import { offerProblem } from '../../../src/signaling/carrier/offer-check';
import { answerSessionTimer } from '../../../src/signaling/carrier/session-timer';
import { TrunkRegistry } from '../../../src/signaling/carrier/trunk-registry';
import type { CarrierTrunk } from '../../../src/signaling/carrier/trunk-registry';

describe('numbers are read with the country of the trunk', () => {
  it.each([
    ['+49301000100', 'DE', '+49301000100'],
    ['49301000100', 'DE', '+49301000100'],
    ['0301000100', 'DE', '+49301000100'],
    ['0049301000100', 'DE', '+49301000100'],
    ['030 / 1000-100', 'DE', undefined],
    ['030-1000100', 'DE', '+49301000100'],
    ['2125551234', 'US', '+12125551234'],
    ['12125551234', 'US', '+12125551234'],
    ['anonymous', 'DE', undefined],
    ['+', 'DE', undefined],
    ['', 'DE', undefined],
  ])('%s in %s is %s', (text, country, expected) => {
    expect(toE164(text, country)).toBe(expected);
  });

  it('finds the user part behind parameters, passwords, escapes and in tel URIs', () => {
    expect(userOf('"A, B" <sip:+4930;phone-context=x@host;user=phone>')).toBe('+4930');
    expect(userOf('<sip:alice:secret@host>')).toBe('alice');
    expect(userOf('<sip:%2B4930@host>')).toBe('+4930');
    expect(userOf('tel:+4930;ext=1')).toBe('+4930');
    expect(userOf('<sip:host.only>')).toBeUndefined();
    expect(userOf('<sip:%ZZ@host>')).toBeUndefined();
  });
});

describe('who calls', () => {
  const from = '"Eve" <sip:+491700000001@carrier.example>;tag=1';
  const asserted = '"Weber, Ulla" <sip:+491700000002@carrier.example>, <tel:+491700000002>';

  it('is P-Asserted-Identity before From', () => {
    expect(callerIdentity({ from, assertedIdentity: asserted, privacy: undefined }, 'DE')).toEqual({
      number: '+491700000002',
      name: 'Weber, Ulla',
    });
  });

  it('is From where nothing is asserted', () => {
    expect(callerIdentity({ from, assertedIdentity: undefined, privacy: undefined }, 'DE')).toEqual({
      number: '+491700000001',
      name: 'Eve',
    });
  });

  it.each(['id', 'user;id', 'header'])('stays hidden for Privacy: %s, although the carrier tells us', (privacy) => {
    expect(callerIdentity({ from, assertedIdentity: asserted, privacy }, 'DE')).toEqual({
      number: undefined,
      name: undefined,
    });
  });

  it('stays hidden for an anonymous From', () => {
    const hidden = '"Anonymous" <sip:anonymous@anonymous.invalid>';
    expect(
      callerIdentity({ from: hidden, assertedIdentity: asserted, privacy: undefined }, 'DE').number,
    ).toBeUndefined();
  });

  it('never carries a quote or a control character into another header', () => {
    const evil = '"Eve\\"> ;x=\u0001y" <sip:+491700000001@c>';
    expect(callerIdentity({ from: evil, assertedIdentity: undefined, privacy: undefined }, 'DE').name).toBe('Eve ;x=y');
  });
});

describe('limits of a trunk', () => {
  it('refuses the call past the number at once, and takes it after one ended', () => {
    const limits = new CallLimits(2, 100, 0);
    expect(limits.take(0)).toBeUndefined();
    expect(limits.take(0)).toBeUndefined();
    expect(limits.take(0)).toMatchObject({ reason: 'max-calls' });
    limits.release();
    expect(limits.take(0)).toBeUndefined();
  });

  it('refuses more new calls a second than allowed and refills with time', () => {
    const limits = new CallLimits(1_000, 2, 0);
    expect([limits.take(0), limits.take(0)]).toEqual([undefined, undefined]);
    expect(limits.take(1)).toMatchObject({ reason: 'calls-per-second', retryAfterSeconds: 1 });
    expect(limits.take(501)).toBeUndefined();
    expect(limits.take(502)).toBeDefined();
  });
});

const trunk = (name: string, sources: string[]): CarrierTrunk => ({
  id: name,
  name,
  tenantId: undefined,
  sources,
  country: 'DE',
  digest: undefined,
  maxCalls: 10,
  callsPerSecond: 10,
  sessionExpiresSeconds: 1800,
});

describe('recognising a carrier by its address', () => {
  const registry = new TrunkRegistry();
  registry.load([trunk('wide', ['10.0.0.0/8', '2001:db8::/32']), trunk('narrow', ['10.1.2.0/24'])], 0);

  it('takes the narrowest range that holds the address', () => {
    expect(registry.recognise('10.1.2.3')?.name).toBe('narrow');
    expect(registry.recognise('10.1.3.3')?.name).toBe('wide');
  });

  it('knows IPv6 and IPv4 in IPv6 form', () => {
    expect(registry.recognise('2001:db8::7')?.name).toBe('wide');
    expect(registry.recognise('::ffff:10.1.2.3')?.name).toBe('narrow');
  });

  it('does not know strangers or nonsense', () => {
    expect(registry.recognise('192.0.2.1')).toBeUndefined();
    expect(registry.recognise('not an address')).toBeUndefined();
  });

  it('keeps the count of running calls when the configuration changes', () => {
    registry.limits('wide')?.take(0);
    registry.load([{ ...trunk('wide', ['10.0.0.0/8']), maxCalls: 1 }], 0);
    expect(registry.limits('wide')?.active).toBe(1);
    expect(registry.limits('wide')?.take(5_000)).toMatchObject({ reason: 'max-calls' });
  });
});

describe('session timers', () => {
  const ask = (sessionExpires?: string, supported = 'timer', minSe?: string) =>
    answerSessionTimer({ sessionExpires, supported, minSe }, 1800);

  it('make us the refresher where the caller leaves it open', () => {
    expect(ask('1800')).toEqual({ kind: 'accept', headers: { 'Session-Expires': '1800;refresher=uas' } });
    expect(ask(undefined, '')).toEqual({ kind: 'accept', headers: { 'Session-Expires': '1800;refresher=uas' } });
  });

  it('leave a caller who wants to refresh the refresher, and take the shorter interval', () => {
    expect(ask('600;refresher=uac')).toEqual({
      kind: 'accept',
      headers: { 'Session-Expires': '600;refresher=uac', Require: 'timer' },
    });
  });

  it('refuse less than 90 seconds and honour a larger minimum', () => {
    expect(ask('60')).toEqual({ kind: 'too-small', minSeconds: 90 });
    expect(ask(undefined, 'timer', '3600')).toMatchObject({ headers: { 'Session-Expires': '3600;refresher=uas' } });
  });
});

describe('the offer of a carrier', () => {
  const sdp = (audio: string) =>
    `v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n${audio}\r\n`;

  it('is fine with plain audio', () => {
    expect(offerProblem(sdp('m=audio 4000 RTP/AVP 8 0 101'))).toBeUndefined();
  });

  it.each([
    [undefined, 'without an SDP offer'],
    ['  ', 'without an SDP offer'],
    [sdp('m=image 4000 udptl t38'), 'no audio'],
    [sdp('m=audio 0 RTP/AVP 8'), 'switched off'],
    [sdp('m=audio 4000 RTP/SAVP 8'), 'RTP/SAVP is not supported'],
    [sdp('m=audio 99999 RTP/AVP 8'), 'does not exist'],
    [sdp(`m=audio 4000 RTP/AVP 8\r\n${'a=x:y\r\n'.repeat(1_200)}`), 'longer than 8000 bytes'],
  ])('is refused with a reason: %#', (body, text) => {
    expect(offerProblem(body)).toContain(text);
  });
});

describe('digest', () => {
  const digest = new DigestChallenger('sidekick', Buffer.alloc(32, 7));
  const credentials = { username: 'carrier', password: 'pa55' };
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');

  function answer(challenge: string, password = 'pa55'): string {
    const nonce = parseDigest(challenge).get('nonce') ?? '';
    const ha1 = md5(`carrier:sidekick:${password}`);
    const ha2 = md5('INVITE:sip:x@y');
    const response = md5(`${ha1}:${nonce}:00000001:abc:auth:${ha2}`);
    return `Digest username="carrier", realm="sidekick", nonce="${nonce}", uri="sip:x@y", qop=auth, nc=00000001, cnonce="abc", response="${response}"`;
  }

  it('takes the right answer and refuses a wrong password', () => {
    const challenge = digest.challenge(1_000_000);
    expect(digest.check(answer(challenge), 'INVITE', credentials, 1_001_000)).toBe('ok');
    expect(digest.check(answer(challenge, 'guess'), 'INVITE', credentials, 1_001_000)).toBe('wrong');
  });

  it('asks again when there is no answer, an old one, or one to a challenge that was never made', () => {
    expect(digest.check(undefined, 'INVITE', credentials, 0)).toBe('missing');
    expect(digest.check(answer(digest.challenge(0)), 'INVITE', credentials, 61_000)).toBe('stale');
    expect(digest.check(answer('Digest nonce="ff.forged"'), 'INVITE', credentials, 1_000)).toBe('stale');
    expect(digest.check('Digest nonsense', 'INVITE', credentials, 1_000)).toBe('stale');
  });
});
