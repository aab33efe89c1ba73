import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { type Action, allFiles, params, readText, readXml, sbcConfig } from './read-config';

const fs = (file: string) => readXml(`freeswitch/${file}`);
const settings = (file: string) => params(fs(`autoload_configs/${file}`).configuration.settings.param);

test('every XML file is well-formed', () => {
  const files = allFiles().filter((file) => file.endsWith('.xml'));
  expect(files.length).toBeGreaterThan(12);
  for (const file of files) {
    expect(() => readXml(file)).not.toThrow();
  }
});

test('what the modules list names has its configuration, and what an endpoint needs is loaded', () => {
  const modules = fs('autoload_configs/modules.conf.xml').configuration.modules.load.map(
    (l: { module: string }) => l.module,
  );
  for (const needed of [
    'mod_event_socket',
    'mod_commands',
    'mod_dptools',
    'mod_dialplan_xml',
    'mod_sofia',
    'mod_sndfile',
    'mod_tone_stream',
    'mod_local_stream',
    'mod_conference',
  ]) {
    expect(modules).toContain(needed);
  }
  // mod_local_stream starts its streams when it is loaded: the formats it plays have to be there.
  expect(modules.indexOf('mod_tone_stream')).toBeLessThan(modules.indexOf('mod_local_stream'));
});

test('each variable that is used has a value: a default, the environment, or one the start script demands', () => {
  const used = new Set<string>();
  for (const file of allFiles().filter((f) => f.startsWith('freeswitch/') && f.endsWith('.xml'))) {
    for (const match of readText(file).matchAll(/\$\$\{([a-z_]+)\}/g)) {
      used.add(match[1]!);
    }
  }
  const set = fs('vars.xml').include['X-PRE-PROCESS'] as { cmd: string; data: string }[];
  const known = new Set(set.map((s) => s.data.slice(0, s.data.indexOf('='))));
  known.add('conf_dir');
  expect([...used].filter((name) => !known.has(name))).toEqual([]);

  const withoutDefault = [...known].filter(
    (name) => name !== 'conf_dir' && !set.some((s) => s.cmd !== 'env-set' && s.data.startsWith(`${name}=`)),
  );
  expect(withoutDefault).toEqual(['sip_ip']);
  expect(readText('bin/start-freeswitch.sh')).toContain('need SIDEKICK_SIP_IP');
});

test('a default always comes before the environment, otherwise it would win', () => {
  const set = fs('vars.xml').include['X-PRE-PROCESS'] as { cmd: string; data: string }[];
  const name = (data: string) => data.slice(0, data.indexOf('='));
  set.forEach((line, i) => {
    if (line.cmd === 'env-set') {
      expect(set.slice(i + 1).some((later) => later.cmd !== 'env-set' && name(later.data) === name(line.data))).toBe(
        false,
      );
      expect(line.data).toMatch(/^[a-z_]+=\$SIDEKICK_[A-Z_]+$/);
    }
  });
});

test('the event socket is on loopback, behind an ACL, and its password is nobody’s to know', () => {
  const event = settings('event_socket.conf.xml');
  expect(event.get('listen-ip')).toBe('127.0.0.1');
  expect(event.get('password')).toBe('$${event_socket_password}');
  expect(event.get('apply-inbound-acl')).toBe('sidekick_node');
  expect(event.get('stop-on-bind-error')).toBe('true');
  expect(allFiles().filter((file) => /ClueCon|cymru/.test(readText(file)))).toEqual([]);
  // The variable is emptied once the configuration has been read.
  const text = readText('freeswitch/freeswitch.xml');
  expect(text.indexOf('data="event_socket_password="')).toBeGreaterThan(text.indexOf('autoload_configs/*.xml'));
});

test('access lists refuse whoever they do not name', () => {
  const lists = fs('autoload_configs/acl.conf.xml').configuration['network-lists'].list;
  const byName = Object.fromEntries(lists.map((l: { name: string }) => [l.name, l]));
  for (const list of lists) {
    expect(list.default).toBe('deny');
  }
  expect(byName.drachtio.node).toEqual([{ type: 'allow', cidr: '$${sip_ip}/32' }]);
  expect(byName.sidekick_node.node).toEqual([{ type: 'allow', cidr: '127.0.0.1/32' }]);
  expect(byName.nobody.node).toBeUndefined();
});

test('the profile is the one drachtio-fsmrf looks for, and answers drachtio only', () => {
  const { profile } = fs('sip_profiles/drachtio_mrf.xml');
  const p = params(profile.settings.param);
  expect(profile.name).toBe('drachtio_mrf');
  expect(p.get('context')).toBe('mrf');
  expect(p.get('apply-inbound-acl')).toBe('drachtio');
  expect(p.get('enable-3pcc')).toBe('true');
  expect(p.get('inbound-late-negotiation')).toBe('true');
  expect(p.get('inbound-codec-prefs')).toBe('$${codecs}');
  expect(p.get('outbound-codec-prefs')).toBe('$${codecs}');
  expect(p.get('enable-timer')).toBe('false');
  // The public address goes into SDP, never into SIP; and only if no peer counts as local.
  expect([p.get('ext-rtp-ip'), p.get('ext-sip-ip'), p.get('local-network-acl')]).toEqual([
    '$${ext_rtp_ip}',
    '$${sip_ip}',
    'nobody',
  ]);
  // No guessing about NAT, no SRTP for everybody.
  expect([...p.keys()].filter((key) => /nat-acl|NDLB|secure|crypto/i.test(key))).toEqual([]);
  expect(readText('freeswitch/vars.xml')).not.toContain('rtp_secure_media');
});

test('an endpoint: media_timeout before the answer, silence as packets, music only after the socket is lost', () => {
  const { context } = fs('dialplan/mrf.xml');
  expect(context.name).toBe('mrf');
  const endpoint = context.extension.find((e: { name: string }) => e.name === 'endpoint');
  expect(endpoint.condition.field).toBe('${sip_user_agent}');
  expect('drachtio-fsmrf:0b9e6e0a').toMatch(new RegExp(endpoint.condition.expression));

  const steps = (endpoint.condition.action as Action[]).map((a) => [a.application, a.data].filter(Boolean).join(' '));
  const at = (step: string) => {
    expect(steps).toContain(step);
    return steps.indexOf(step);
  };
  const answer = at('answer');
  const socket = at('socket ${sip_h_X-esl-outbound} async full');
  expect(at('set media_timeout=$${media_timeout_ms}')).toBeLessThan(answer);
  for (const variable of [
    'send_silence_when_idle=-1',
    'hangup_after_bridge=false',
    'park_after_bridge=true',
    'playback_terminators=none',
  ]) {
    expect(at(`set ${variable}`)).toBeLessThan(socket);
  }
  expect(answer).toBeLessThan(socket);
  expect(steps.slice(socket + 1)).toEqual(['playback local_stream://moh/8000', 'park']);
});

test('a leg sent to the music stays there: the extension stands before the one that every endpoint matches', () => {
  const extensions = fs('dialplan/mrf.xml').context.extension;
  expect(extensions.map((e: { name: string }) => e.name)).toEqual(['music', 'endpoint', 'anything else']);
  expect('cc-music').toMatch(new RegExp(extensions[0].condition.expression));
  expect(extensions[0].condition.action.map((a: Action) => a.application)).toEqual(['set', 'playback', 'park']);
});

test('what is no endpoint is refused', () => {
  const last = fs('dialplan/mrf.xml').context.extension.at(-1);
  expect(last.condition.field).toBeUndefined();
  expect(last.condition.action).toEqual([{ application: 'respond', data: '403' }]);
});

test('limits and ports of the core', () => {
  const core = settings('switch.conf.xml');
  expect(core.get('sessions-per-second')).toBe('500');
  expect(core.get('max-sessions')).toBe('$${max_sessions}');
  expect([core.get('rtp-start-port'), core.get('rtp-end-port')]).toEqual(['$${rtp_start_port}', '$${rtp_end_port}']);
});

test('the music that comes with it has no end and fits into the line FreeSWITCH reads', () => {
  const line = readText('freeswitch/music/chimes.loc');
  expect(line).toMatch(/^tone_stream:\/\/.*;loops=-1\n$/);
  expect(line.length).toBeLessThan(500);
});

test.each(['SIDEKICK_FREESWITCH_SECRET', 'SIDEKICK_SIP_IP'])('without %s FreeSWITCH is not started', (name) => {
  const env: Record<string, string | undefined> = {
    PATH: process.env['PATH'],
    SIDEKICK_FREESWITCH_SECRET: 'f1d2d2f924e986ac86fdf7b3',
    SIDEKICK_SIP_IP: '10.0.0.5',
    SIDEKICK_FREESWITCH_BIN: 'echo',
  };
  env[name] = '';
  const script = path.join(sbcConfig, 'bin/start-freeswitch.sh');
  const result = spawnSync('sh', [script], { env: env, encoding: 'utf8' });
  expect([result.status, result.stdout]).toEqual([64, '']);
  expect(result.stderr).toContain(`${name} is not set`);
});
