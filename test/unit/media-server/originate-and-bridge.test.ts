import { newSdesKey } from '../../../src/embedded/rtp/srtp';
import { Lab, listen, wait } from './kit/lab';
import type { AgentLeg, Endpoint } from './kit/lab';

const ORIGINATE =
  'rtp_secure_media_outbound=mandatory:AES_CM_128_HMAC_SHA1_80,absolute_codec_string=PCMA,suppress_cng=true,ignore_early_media=true';

describe('originate', () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await Lab.start();
  });
  afterEach(async () => {
    await lab.close();
  });

  test('sends the offer that real servers send, with the headers and the Call-ID asked for', async () => {
    const { invite, reply, uuid } = lab.originate(
      `${ORIGINATE},sip_h_X-leg=token-1,sip_invite_call_id=my-call-1,origination_caller_id_number=+4930123`,
    );
    const session = await invite;
    expect(session.remoteSdp).toMatch(
      /^v=0\r\no=FreeSWITCH \d+ \d+ IN IP4 127\.0\.0\.1\r\ns=FreeSWITCH\r\nc=IN IP4 127\.0\.0\.1\r\nt=0 0\r\nm=audio \d+ RTP\/SAVP 8 101\r\na=rtpmap:8 PCMA\/8000\r\na=rtpmap:101 telephone-event\/8000\r\na=fmtp:101 0-15\r\na=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:[A-Za-z0-9+/]{40}\r\na=ptime:20\r\n$/,
    );
    const { invite: request } = session;
    expect(request.get('x-leg')).toBe('token-1');
    expect(request.callId).toBe('my-call-1');
    expect(request.get('from')).toContain('<sip:+4930123@127.0.0.1');
    expect(request.get('user-agent')).toBe('Sidekick media');
    expect(request.get('supported')).toBe('path, replaces');
    expect(request.get('session-expires')).toBeUndefined();
    const phone = await lab.phone({ secure: true });
    void session.accept(phone.sdp());
    expect(await reply).toBe(`+OK ${uuid}`);
    expect(await lab.control.api(`uuid_getvar ${uuid} rtp_secure_media_negotiated`)).toBe('AES_CM_128_HMAC_SHA1_80');
  });

  test.each([
    ['absolute_codec_string=PCMA\\,PCMU', '8 0 101'],
    ['absolute_codec_string=^^:PCMU:PCMA', '0 8 101'],
    ["absolute_codec_string='PCMA,PCMU'", '8 101'],
    ['absolute_codec_string=PCMU', '0 101'],
  ])('%s offers %s', async (codecs, payloads) => {
    const { invite, reply } = lab.originate(`${codecs},suppress_cng=true`);
    const session = await invite;
    expect(/m=audio \d+ RTP\/AVP (.*)/.exec(session.remoteSdp!)![1]).toBe(payloads);
    session.reject(486);
    await reply;
  });

  test.each([
    [486, 'USER_BUSY'],
    [480, 'NO_USER_RESPONSE'],
    [408, 'RECOVERY_ON_TIMER_EXPIRE'],
    [603, 'CALL_REJECTED'],
    [503, 'NORMAL_TEMPORARY_FAILURE'],
    [404, 'UNALLOCATED_NUMBER'],
    [488, 'INCOMPATIBLE_DESTINATION'],
  ])('%d is told as %s and leaves no channel', async (status, cause) => {
    const { invite, reply } = lab.originate(ORIGINATE);
    (await invite).reject(status);
    expect(await reply).toBe(`-ERR ${cause}`);
    expect(lab.server.channels).toBe(0);
  });

  test('an answer without SRTP is refused: mandatory holds', async () => {
    const { invite, reply } = lab.originate(ORIGINATE);
    const session = await invite;
    const ended = new Promise<{ reason?: string }>((resolve) => {
      session.onEnd(resolve);
    });
    const phone = await lab.phone();
    void session.accept(phone.sdp());
    expect(await reply).toBe('-ERR INCOMPATIBLE_DESTINATION');
    expect((await ended).reason).toContain('INCOMPATIBLE_DESTINATION');
  });

  test.each([false, true])('giving up while it rings (180 sent: %s) sends CANCEL with the cause', async (ringing) => {
    const { invite, reply, uuid } = lab.originate(ORIGINATE);
    const session = await invite;
    const cancelled = new Promise<string | undefined>((resolve) => {
      session.onCancel(resolve);
    });
    if (ringing) {
      await session.progress(180);
      await lab.control.event((e) => e['Event-Name'] === 'CHANNEL_PROGRESS');
    }
    expect(await lab.control.api(`uuid_kill ${uuid} ORIGINATOR_CANCEL`)).toBe('+OK\n');
    expect(await reply).toBe('-ERR ORIGINATOR_CANCEL');
    if (!ringing) {
      // CANCEL waits for the first provisional response (RFC 3261 9.1).
      await session.progress(180);
    }
    expect(await cancelled).toBe('SIP;cause=487;text="ORIGINATOR_CANCEL"');
  });

  test('nobody answers in originate_timeout', async () => {
    const { invite, reply } = lab.originate(`${ORIGINATE},originate_timeout=1`);
    await (await invite).progress(180);
    expect(await reply).toBe('-ERR NO_ANSWER');
    expect(lab.server.channels).toBe(0);
  });

  test('early media ends the waiting unless it is to be ignored', async () => {
    const { invite, reply, uuid } = lab.originate('absolute_codec_string=PCMA,suppress_cng=true');
    const session = await invite;
    const phone = await lab.phone();
    await session.progress(183, { body: phone.sdp() });
    expect(await reply).toBe(`+OK ${uuid}`);
    expect(await lab.control.api(`uuid_dump ${uuid} json`)).toContain('"Answer-State":"early"');
    void session.accept(phone.sdp());
    await lab.control.event((e) => e['Event-Name'] === 'CHANNEL_ANSWER');
  });

  test.each([
    ['originate {a=b}user/1000 &park()', '-ERR CHAN_NOT_IMPLEMENTED\n'],
    ['originate {a=b}sofia/other/x@127.0.0.1 &park()', '-ERR INVALID_PROFILE\n'],
    ['originate {absolute_codec_string=G729}sofia/drachtio_mrf/x@127.0.0.1 &park()', '-ERR INCOMPATIBLE_DESTINATION\n'],
    [
      'originate {rtp_secure_media=mandatory:AEAD_AES_256_GCM}sofia/drachtio_mrf/x@127.0.0.1 &park()',
      '-ERR INCOMPATIBLE_DESTINATION\n',
    ],
  ])('%s fails', async (command, reply) => {
    expect(await lab.control.api(command)).toBe(reply);
  });
});

describe('a bridge of a plain caller and an SRTP agent', () => {
  let lab: Lab;
  let caller: Endpoint;
  let agent: AgentLeg;
  const start = async (callerCodec: 'PCMA' | 'PCMU' = 'PCMA', variables = ''): Promise<void> => {
    caller = await lab.endpoint({ tone: 700, codec: callerCodec });
    agent = await lab.agent({ secure: true, tone: 1100 }, variables);
    expect(await lab.control.api(`uuid_bridge ${caller.uuid} ${agent.uuid}`)).toBe(`+OK ${agent.uuid}\n`);
    await lab.control.event((e) => e['Event-Name'] === 'CHANNEL_BRIDGE');
  };
  const phones = () => ({ caller: caller.phone, agent: agent.phone });
  beforeEach(async () => {
    lab = await Lab.start({ timers: { holdDelayMs: 100 } });
  });
  afterEach(async () => {
    await lab.close();
  });

  test('lets both hear each other, without one packet that does not decrypt', async () => {
    await start();
    await wait(150);
    expect(await listen(phones())).toEqual({ caller: [1100], agent: [700] });
    expect(agent.phone.failures).toBe(0);
    expect(lab.server.stats().srtpFailures).toBe(0);
    expect(await lab.control.api(`uuid_getvar ${agent.uuid} rtp_secure_audio_confirmed`)).toBe('true');
  });

  test('is made at the very moment of the answer, before originate has replied', async () => {
    caller = await lab.endpoint({ tone: 700 });
    const { invite, uuid, reply } = lab.originate(ORIGINATE);
    const session = await invite;
    const phone = await lab.phone({ secure: true, tone: 1100 });
    phone.connect(session.remoteSdp!);
    void session.accept(phone.sdp());
    expect(await lab.control.api(`uuid_bridge ${caller.uuid} ${uuid}`)).toBe(`+OK ${uuid}\n`);
    await wait(150);
    expect(await listen({ caller: caller.phone, agent: phone })).toEqual({ caller: [1100], agent: [700] });
    // As the real server does: the leg lives, but what was to run on it never will.
    expect(await reply).toBe('-ERR ORIGINATOR_CANCEL');
  });

  test('passes the payload bytes on unchanged when both have one codec', async () => {
    await start();
    caller.phone.say(undefined);
    agent.phone.say(undefined);
    await wait(200);
    const before = caller.phone.packets.length;
    agent.phone.say(1100);
    await wait(200);
    const payloads = caller.phone.packets.slice(before).map((p) => p.payload);
    expect(payloads.some((p) => p.length === 160)).toBe(true);
    expect(new Set(caller.phone.packets.slice(before).map((p) => p.payloadType))).toEqual(new Set([8]));
  });

  test('turns µ-law into A-law and back where the codecs differ', async () => {
    await start('PCMU');
    await wait(150);
    expect(await listen(phones())).toEqual({ caller: [1100], agent: [700] });
    expect(caller.phone.packets.at(-1)!.payloadType).toBe(0);
    expect(agent.phone.packets.at(-1)!.payloadType).toBe(8);
  });

  test('carries keys both ways as events and tells them once', async () => {
    await start();
    await wait(100);
    caller.phone.press('12');
    agent.phone.press('#');
    await wait(900);
    expect(agent.phone.keysHeard).toEqual(['1', '2']);
    expect(caller.phone.keysHeard).toEqual(['#']);
    const keys = lab.control.events.filter((e) => e['Event-Name'] === 'DTMF');
    expect(keys.map((e) => [e['DTMF-Digit'], e['DTMF-Duration'], e['DTMF-Source']]).sort()).toEqual([
      ['#', '800', 'RTP'],
      ['1', '800', 'RTP'],
      ['2', '800', 'RTP'],
    ]);
  });

  test('gives the caller hold music of the held leg and takes it away again; the key stays', async () => {
    await start('PCMA', 'hold_music=tone_stream://%(1000\\,0\\,1500);loops=-1');
    const key = /inline:\S+/.exec(agent.session.remoteSdp!)![0];
    const held = await agent.session.reinvite(agent.phone.sdp({ direction: 'inactive' }));
    expect(held.status).toBe(200);
    expect(held.body).toContain('a=inactive');
    expect(held.body).toContain(key);
    agent.phone.sending = false;
    expect(await listen(phones(), 400)).toEqual({ caller: [1500], agent: [] });
    expect(await lab.control.api(`uuid_dump ${agent.uuid} json`)).toContain('"Channel-Call-State":"HELD"');
    const back = await agent.session.reinvite(agent.phone.sdp());
    agent.phone.sending = true;
    expect(back.body).not.toMatch(/a=(sendrecv|inactive|sendonly|recvonly)/);
    expect(back.body).toContain(key);
    await wait(100);
    expect(await listen(phones(), 400)).toEqual({ caller: [1100], agent: [700] });
    const states = lab.control.events.filter(
      (e) => e['Event-Name'] === 'CHANNEL_CALLSTATE' && e['Unique-ID'] === agent.uuid,
    );
    expect(states.map((e) => e['Channel-Call-State']).slice(-3)).toEqual(['HELD', 'UNHELD', 'ACTIVE']);
  });

  test('sends the caller nothing while hold music is silence', async () => {
    await start('PCMA', 'hold_music=silence');
    await agent.session.reinvite(agent.phone.sdp({ direction: 'sendonly' }));
    await wait(150);
    const before = caller.phone.received;
    await wait(300);
    expect(caller.phone.received).toBe(before);
  });

  test('changes its own key when the agent brings a new one, and both still hear each other', async () => {
    await start();
    const key = /inline:\S+/.exec(agent.session.remoteSdp!)![0];
    agent.phone.key = newSdesKey();
    const response = await agent.session.reinvite(agent.phone.sdp());
    expect(response.body).not.toContain(key);
    agent.phone.connect(response.body);
    await wait(100);
    const { failures } = agent.phone;
    expect(await listen(phones())).toEqual({ caller: [1100], agent: [700] });
    expect(agent.phone.failures).toBe(failures);
  });

  test('lets the caller park when the agent goes, and can be made again with another', async () => {
    await start();
    await agent.session.bye();
    await lab.control.event(
      (e) => e['Event-Name'] === 'CHANNEL_PARK' && e['Unique-ID'] === caller.uuid && e['Channel-State'] === 'CS_PARK',
    );
    expect(await lab.control.api(`uuid_exists ${caller.uuid}`)).toBe('true');
    expect(await lab.control.api(`uuid_getvar ${caller.uuid} last_bridge_hangup_cause`)).toBe('NORMAL_CLEARING');
    agent = await lab.agent({ secure: true, tone: 1300 });
    await lab.control.api(`uuid_bridge ${caller.uuid} ${agent.uuid}`);
    await wait(150);
    expect(await listen(phones())).toEqual({ caller: [1300], agent: [700] });
  });

  test('a held leg that ends takes the caller with it, unless hold_hangup_xfer_exten says otherwise', async () => {
    await start();
    await agent.session.reinvite(agent.phone.sdp({ direction: 'inactive' }));
    await agent.session.bye();
    await lab.control.event((e) => e['Event-Name'] === 'CHANNEL_DESTROY' && e['Unique-ID'] === caller.uuid);

    await start('PCMA', 'hold_hangup_xfer_exten=park');
    await agent.session.reinvite(agent.phone.sdp({ direction: 'inactive' }));
    expect(await lab.control.api(`uuid_kill ${agent.uuid}`)).toBe('+OK\n');
    await lab.control.event(
      (e) => e['Event-Name'] === 'CHANNEL_PARK' && e['Unique-ID'] === caller.uuid && e['Channel-State'] === 'CS_PARK',
    );
    expect(await lab.control.api(`uuid_exists ${caller.uuid}`)).toBe('true');
  });

  test('without park_after_bridge the caller goes to the extension named, with music', async () => {
    await start('PCMA', 'hold_hangup_xfer_exten=cc-music:XML:mrf');
    await lab.control.api(`uuid_setvar ${caller.uuid} park_after_bridge`);
    await agent.session.reinvite(agent.phone.sdp({ direction: 'inactive' }));
    await agent.session.bye();
    await lab.control.event(
      (e) =>
        e['Event-Name'] === 'PLAYBACK_START' &&
        e['Playback-File-Type'] === 'local_stream' &&
        e['Unique-ID'] === caller.uuid,
    );
    await lab.control.until(() =>
      lab.control.events.some((e) => e['Application'] === 'playback' && e['Channel-State'] === 'CS_EXECUTE'),
    );
  });

  test('is taken apart by a transfer of both, and by one of one side', async () => {
    await start();
    expect(await lab.control.api(`uuid_transfer ${caller.uuid} -both park inline`)).toBe('+OK\n');
    await lab.control.until(
      () =>
        lab.control.events.filter((e) => e['Event-Name'] === 'CHANNEL_EXECUTE' && e['Application'] === 'park').length >=
        3,
    );
    expect(await lab.control.api(`uuid_bridge ${caller.uuid} ${agent.uuid}`)).toBe(`+OK ${agent.uuid}\n`);
    await wait(100);
    await lab.control.api(`uuid_transfer ${caller.uuid} m:^:playback:tone_stream://%(2000,0,1900)^park inline`);
    await wait(100);
    expect(await listen({ caller: caller.phone }, 300)).toEqual({ caller: [1900] });
    expect(await lab.control.api(`uuid_exists ${agent.uuid}`)).toBe('true');
  });

  test('playback inside it replaces what that leg hears, and the talk goes on afterwards', async () => {
    await start();
    const done = lab.control.run(caller.uuid, 'playback', 'tone_stream://%(500,0,1700)');
    await wait(60);
    expect(await listen(phones(), 350)).toEqual({ caller: [1700], agent: [700] });
    expect((await done)['Application-Response']).toBe('FILE PLAYED');
    expect(await listen(phones(), 400)).toEqual({ caller: [1100], agent: [700] });
  });

  test('ends music that the caller was listening to, and the abandoned application completes', async () => {
    caller = await lab.endpoint({ tone: 700 });
    const music = caller.esl.run(caller.uuid, 'playback', 'local_stream://moh/8000');
    agent = await lab.agent({ secure: true, tone: 1100 });
    await lab.control.api(`uuid_bridge ${caller.uuid} ${agent.uuid}`);
    expect(await music).toMatchObject({ Application: 'playback', 'Application-Response': 'PLAYBACK ERROR' });
    await wait(100);
    expect(await listen(phones())).toEqual({ caller: [1100], agent: [700] });
  });

  test('of channels that do not exist or are not answered is refused', async () => {
    caller = await lab.endpoint();
    expect(await lab.control.api(`uuid_bridge ${caller.uuid} nobody`)).toBe('-ERR Invalid uuid\n');
    const { uuid, invite, reply } = lab.originate(ORIGINATE);
    const session = await invite;
    expect(await lab.control.api(`uuid_bridge ${caller.uuid} ${uuid}`)).toBe('-ERR Invalid uuid\n');
    session.reject(486);
    await reply;
  });
});
