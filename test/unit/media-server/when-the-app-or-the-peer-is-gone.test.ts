import { createSocket } from 'node:dgram';
import { defaultMusic } from '../../../src/embedded/media-server/media/sound-library';
import { PCMA } from '../../../src/embedded/rtp/g711';
import { Lab, listen, wait } from './kit/lab';
import type { RtpPhone } from './kit/rtp-phone';

/** Whether the last packets are frames of the composed music. */
function hearsMusic(phone: RtpPhone): boolean {
  const music = Buffer.from(defaultMusic().bytes(PCMA));
  return phone.packets.slice(-5).every((p) => music.includes(Buffer.from(p.payload)));
}

describe('the app is gone', () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await Lab.start({ timers: { holdDelayMs: 20, socketConnectMs: 300 } });
  });
  afterEach(async () => {
    await lab.close();
  });

  test('a parked caller hears music at once, and for ever', async () => {
    const ep = await lab.endpoint();
    ep.esl.close();
    await lab.control.event((e) => e['Event-Name'] === 'PLAYBACK_START' && e['Playback-File-Type'] === 'local_stream');
    await wait(300);
    expect(hearsMusic(ep.phone)).toBe(true);
    await lab.control.api(`uuid_kill ${ep.uuid}`);
  });

  test('a playback goes on to its end, then comes the music of the dialplan', async () => {
    const ep = await lab.endpoint();
    void ep.esl.execute(ep.uuid, 'playback', 'tone_stream://%(800,0,1100)');
    await wait(50);
    ep.esl.close();
    expect(await listen({ phone: ep.phone }, 500)).toEqual({ phone: [1100] });
    await wait(500);
    expect(hearsMusic(ep.phone)).toBe(true);
  });

  test('a talk goes on, and when the agent leaves the caller is parked', async () => {
    const ep = await lab.endpoint({ tone: 700 });
    const agent = await lab.agent({ secure: true, tone: 1100 });
    await lab.control.api(`uuid_bridge ${ep.uuid} ${agent.uuid}`);
    await wait(50);
    ep.esl.close();
    await wait(100);
    expect(await listen({ caller: ep.phone, agent: agent.phone }, 400)).toEqual({ caller: [1100], agent: [700] });
    await agent.session.bye();
    await lab.control.event(
      (e) => e['Event-Name'] === 'CHANNEL_PARK' && e['Unique-ID'] === ep.uuid && e['Channel-State'] === 'CS_PARK',
    );
    expect(await lab.control.api(`uuid_transfer ${ep.uuid} cc-music XML mrf`)).toBe('+OK\n');
    await wait(300);
    expect(hearsMusic(ep.phone)).toBe(true);
  });

  test('an app that cannot be reached leaves the caller with music, too', async () => {
    const phone = await lab.phone();
    const session = lab.invite(phone.sdp(), { 'User-Agent': 'drachtio-fsmrf:z', 'X-esl-outbound': '127.0.0.1:1' });
    await session.answered;
    phone.connect(session.remoteSdp!);
    await wait(500);
    expect(hearsMusic(phone)).toBe(true);
    expect(lab.log.join()).toContain('event_socket_unreachable');
  });
});

describe('the peer is gone', () => {
  test('media_timeout ends a leg without RTP, and counts anew from a re-INVITE', async () => {
    const lab = await Lab.start({ timers: { mediaTimeoutMs: 400, holdDelayMs: 20 } });
    const ep = await lab.endpoint({ mute: true });
    await wait(250);
    await lab.control.api(`uuid_setvar ${ep.uuid} media_timeout 700`);
    await ep.session.reinvite(ep.phone.sdp());
    await wait(500);
    expect(lab.server.channels).toBe(1);
    const end = await new Promise<{ reason?: string }>((resolve) => {
      ep.session.onEnd(resolve);
    });
    expect(end.reason).toBe('SIP;cause=804;text="MEDIA_TIMEOUT"');
    await lab.close();
  });

  test('RTP that keeps coming keeps the leg, also while it is silent and when it is held and told so', async () => {
    const lab = await Lab.start({ timers: { mediaTimeoutMs: 300, holdDelayMs: 20 } });
    const ep = await lab.endpoint();
    await wait(500);
    expect(lab.server.channels).toBe(1);
    await lab.control.api(`uuid_setvar ${ep.uuid} media_timeout 3600000`);
    await ep.session.reinvite(ep.phone.sdp({ direction: 'inactive' }));
    ep.phone.sending = false;
    await wait(500);
    expect(lab.server.channels).toBe(1);
    await lab.close();
  });
});

describe('someone sends what is no audio', () => {
  test('floods of garbage at RTP ports of plain and secure legs change nothing for those who talk', async () => {
    const lab = await Lab.start();
    const ep = await lab.endpoint({ tone: 700 });
    const agent = await lab.agent({ secure: true, tone: 1100 });
    await lab.control.api(`uuid_bridge ${ep.uuid} ${agent.uuid}`);
    const ports = [ep.session.remoteSdp!, agent.session.remoteSdp!].map((sdp) => Number(/m=audio (\d+)/.exec(sdp)![1]));
    const enemy = createSocket('udp4');
    const flood = setInterval(() => {
      for (const port of ports) {
        enemy.send(Buffer.alloc(0), port, '127.0.0.1');
        enemy.send(Buffer.from('INVITE sip:x SIP/2.0\r\n\r\n'), port, '127.0.0.1');
        enemy.send(Buffer.alloc(1400, 0xff), port, '127.0.0.1');
        enemy.send(Buffer.from([0x9f, 0x08, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]), port, '127.0.0.1');
        enemy.send(Buffer.from([0x80, 101, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 5, 0x80]), port, '127.0.0.1');
      }
    }, 5);
    await wait(300);
    expect(await listen({ caller: ep.phone, agent: agent.phone }, 600)).toEqual({ caller: [1100], agent: [700] });
    clearInterval(flood);
    enemy.close();
    expect(lab.server.stats().rtpIgnored).toBeGreaterThan(50);
    expect(lab.server.stats().srtpFailures).toBeGreaterThan(50);
    expect(lab.control.events.filter((e) => e['Event-Name'] === 'DTMF')).toEqual([]);
    await lab.close();
  });
});
