import { Lab, listen, wait } from './kit/lab';

describe('an endpoint made as fsmrf makes it', () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await Lab.start();
  });
  afterEach(async () => {
    await lab.close();
  });

  test('is answered with one codec, and its event socket tells what fsmrf reads', async () => {
    const phone = await lab.phone();
    const ep = await lab.endpoint({}, { 'X-acd-node': 'n1' }, phone.sdp({ codecs: ['PCMU', 'PCMA'] }));
    expect(ep.session.remoteSdp).toMatch(
      /^v=0\r\no=FreeSWITCH \d+ \d+ IN IP4 127\.0\.0\.1\r\ns=FreeSWITCH\r\nc=IN IP4 127\.0\.0\.1\r\nt=0 0\r\nm=audio \d+ RTP\/AVP 8 101\r\na=rtpmap:8 PCMA\/8000\r\na=rtpmap:101 telephone-event\/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n$/,
    );
    expect(ep.esl.data).toMatchObject({
      'Event-Name': 'CHANNEL_DATA',
      'Channel-Unique-ID': ep.uuid,
      'Answer-State': 'answered',
      'Socket-Mode': 'async',
      Control: 'full',
      'Reply-Text': '+OK\n',
      variable_rtp_local_sdp_str: ep.session.remoteSdp,
      variable_local_media_ip: '127.0.0.1',
      variable_remote_media_port: String(phone.port),
      variable_sip_call_id: ep.session.callId,
      variable_dtmf_type: 'rfc2833',
      'variable_sip_h_X-acd-node': 'n1',
    });
    await lab.control.event((e) => e['Event-Name'] === 'CHANNEL_PARK');
    expect(lab.control.names(ep.uuid).filter((n) => n !== 'CHANNEL_STATE')).toEqual([
      'CHANNEL_CREATE',
      'CHANNEL_CALLSTATE',
      'CHANNEL_EXECUTE',
      'CHANNEL_EXECUTE_COMPLETE',
      'CHANNEL_EXECUTE',
      'CHANNEL_PROGRESS_MEDIA',
      'CHANNEL_CALLSTATE',
      'CHANNEL_ANSWER',
      'CHANNEL_CALLSTATE',
      ...Array<string[]>(5).fill(['CHANNEL_EXECUTE_COMPLETE', 'CHANNEL_EXECUTE']).flat(),
      'CHANNEL_PARK',
    ]);
  });

  test('plays a tone that is heard, and tells when it was played', async () => {
    const ep = await lab.endpoint();
    const played = ep.esl.run(ep.uuid, 'playback', 'tone_stream://%(600,0,700)');
    expect(await listen({ caller: ep.phone }, 500)).toEqual({ caller: [700] });
    expect(await played).toMatchObject({
      Application: 'playback',
      'Application-Data': 'tone_stream://%(600,0,700)',
      'Application-Response': 'FILE PLAYED',
      variable_playback_ms: '600',
      variable_playback_last_offset_pos: '4800',
    });
  });

  test('sends 50 packets of silence a second while it waits, with timestamps that go on', async () => {
    const ep = await lab.endpoint();
    await wait(100);
    ep.phone.packets.length = 0;
    await wait(1000);
    expect(ep.phone.packets.length).toBeGreaterThan(44);
    expect(ep.phone.packets.length).toBeLessThan(56);
    const steps = ep.phone.packets.slice(1).map((p, i) => p.timestamp - ep.phone.packets[i]!.timestamp);
    expect(new Set(steps)).toEqual(new Set([160]));
    expect(new Set(ep.phone.packets.map((p) => p.marker))).toEqual(new Set([false]));
  });

  test('hangs up on command: applications end innermost first, BYE with the cause, the socket says goodbye', async () => {
    const ep = await lab.endpoint();
    const ended = new Promise((resolve) => {
      ep.session.onEnd(resolve);
    });
    void ep.esl.execute(ep.uuid, 'hangup');
    expect(await ended).toMatchObject({ by: 'remote', reason: 'Q.850;cause=16;text="NORMAL_CLEARING"' });
    await ep.esl.until(() => ep.esl.closed);
    const late = ep.esl.events.filter((e) => e['Answer-State'] === 'hangup');
    expect(late.map((e) => [e['Event-Name'], e['Application'] ?? e['Channel-Call-State'], e['Hangup-Cause']])).toEqual([
      ['CHANNEL_EXECUTE_COMPLETE', 'hangup', 'NORMAL_CLEARING'],
      ['CHANNEL_EXECUTE_COMPLETE', 'socket', 'NORMAL_CLEARING'],
      ['CHANNEL_CALLSTATE', 'HANGUP', 'NORMAL_CLEARING'],
    ]);
    expect(ep.esl.messages.at(-1)).toEqual({
      headers: {
        'Content-Type': 'text/disconnect-notice',
        'Controlled-Session-UUID': ep.uuid,
        'Content-Disposition': 'disconnect',
        'Content-Length': '67',
      },
      body: 'Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n',
    });
    expect(lab.server.channels).toBe(0);
  });

  test('a BYE of the other side ends the channel and its socket', async () => {
    const ep = await lab.endpoint();
    await ep.session.bye();
    await ep.esl.until(() => ep.esl.closed);
    expect(ep.esl.events.at(-1)).toMatchObject({ 'Channel-Call-State': 'HANGUP', 'Hangup-Cause': 'NORMAL_CLEARING' });
  });

  test('an INVITE without SDP gets an offer, and the answer comes with the ACK', async () => {
    const phone = await lab.phone({ tone: 700 });
    const userAgent = 'drachtio-fsmrf:3pcc';
    const session = lab.userAgent.invite(`sip:drachtio@127.0.0.1:${lab.server.sip.port}`, {
      headers: { 'User-Agent': userAgent, 'X-esl-outbound': `127.0.0.1:${lab.listener.port}` },
      ackSdp: () => phone.sdp(),
    });
    await session.answered;
    expect(session.remoteSdp).toMatch(/m=audio \d+ RTP\/AVP 8 0 101/);
    phone.connect(session.remoteSdp!);
    const esl = await lab.listener.connection(userAgent);
    void esl.execute(esl.data['Unique-ID']!, 'playback', 'tone_stream://%(1000,0,1100)');
    expect(await listen({ phone }, 500)).toEqual({ phone: [1100] });
  });

  test('an endpoint answered with its own address sends nothing, so that it never hears itself', async () => {
    const userAgent = 'drachtio-fsmrf:self';
    const session = lab.userAgent.invite(`sip:drachtio@127.0.0.1:${lab.server.sip.port}`, {
      headers: { 'User-Agent': userAgent, 'X-esl-outbound': `127.0.0.1:${lab.listener.port}` },
      ackSdp: (response) => `${response.body}a=recvonly\r\n`,
    });
    await session.answered;
    await lab.listener.connection(userAgent);
    await wait(200);
    expect(lab.server.stats()).toMatchObject({ rtpOut: 0, rtpIn: 0 });
  });

  test.each([
    ['a codec that is not G.711', 'm=audio 4000 RTP/AVP 18'],
    [
      'SRTP with another suite',
      'm=audio 4000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:tHP9vvaKFpF0cdvlW5prUl1w/OP3mX1ykReJUTZp',
    ],
    ['video only', 'm=video 4000 RTP/AVP 99'],
  ])('%s is refused with 488 and leaves nothing behind', async (_name, media) => {
    const session = lab.invite(
      `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n${media}\r\n`,
      {
        'User-Agent': 'drachtio-fsmrf:x',
        'X-esl-outbound': `127.0.0.1:${lab.listener.port}`,
      },
    );
    await expect(session.answered).rejects.toMatchObject({ status: 488 });
    expect(lab.server.channels).toBe(0);
    expect(lab.log.join()).toContain('offer_refused');
  });

  test('someone who is no endpoint gets 403', async () => {
    const phone = await lab.phone();
    await expect(lab.invite(phone.sdp(), { 'User-Agent': 'friendly-scanner' }).answered).rejects.toMatchObject({
      status: 403,
    });
  });

  test('the RTP target moves to where packets really come from', async () => {
    const stated = await lab.phone({ mute: true });
    const ep = await lab.endpoint({ tone: 700 }, {}, stated.sdp());
    void ep.esl.execute(ep.uuid, 'playback', 'tone_stream://%(3000,0,1100)');
    await wait(400);
    expect(await listen({ real: ep.phone, stated }, 400)).toEqual({ real: [1100], stated: [] });
  });

  test('the RTP target stays once packets came from where the offer said, whoever else sends', async () => {
    const ep = await lab.endpoint({ tone: 700 });
    void ep.esl.execute(ep.uuid, 'playback', 'tone_stream://%(3000,0,1100)');
    await wait(200);
    const stranger = await lab.phone({ tone: 1300 });
    stranger.connect(ep.session.remoteSdp ?? '');
    expect(await listen({ real: ep.phone, stranger }, 500)).toEqual({ real: [1100], stranger: [] });
  });
});

describe('limits', () => {
  test('past max sessions a call gets 503 with Retry-After, and a place freed can be used again', async () => {
    const lab = await Lab.start({ maxSessions: 1 });
    const ep = await lab.endpoint();
    const phone = await lab.phone();
    const headers = { 'User-Agent': 'drachtio-fsmrf:y', 'X-esl-outbound': `127.0.0.1:${lab.listener.port}` };
    await expect(lab.invite(phone.sdp(), headers).answered).rejects.toMatchObject({ status: 503 });
    await ep.session.bye();
    await lab.endpoint();
    expect(lab.server.stats().refused).toBe(1);
    await lab.close();
  });
});
