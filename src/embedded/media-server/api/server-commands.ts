/** Commands about the server as a whole (wire reference 5.7). */
import { access } from 'node:fs/promises';
import { newId } from '../../../lib/ids';
import { isApplication } from '../apps/registry';
import { isCause } from '../channel/causes';
import type { Channel } from '../channel/channel';
import { expandVariables } from '../channel/variables';
import type { ApiCommand, ApiServices } from './api-services';
import { OK, words } from './api-services';

/** What a profile line of `sofia status` looks like; fsmrf reads the address from it. */
export function sofiaStatus(profile: string, address: string): string {
  const line = '='.repeat(97);
  const row = (name: string, type: string, data: string, state: string): string =>
    `${name.padStart(25)}\t${type}\t  ${data.padStart(40)}\t${state}\n`;
  return (
    `${row('Name', '   Type', 'Data', 'State')}${line}\n` +
    `${row(profile, 'profile', `sip:mod_sofia@${address}`, 'RUNNING (0)')}${line}\n1 profile 0 aliases\n`
  );
}

export function uptime(startedAt: number): string {
  const seconds = Math.floor((Date.now() - startedAt) / 1000);
  const count = (n: number, unit: string): string => `${n} ${unit}${n === 1 ? '' : 's'}`;
  return [
    count(0, 'year'),
    count(Math.floor(seconds / 86_400), 'day'),
    count(Math.floor(seconds / 3600) % 24, 'hour'),
    count(Math.floor(seconds / 60) % 60, 'minute'),
    count(seconds % 60, 'second'),
  ].join(', ');
}

function status(services: ApiServices): string {
  const { startedAt, sessionsSinceStart, peak } = services.figures();
  const { maxSessions, sessionsPerSecond } = services.switches;
  return (
    `UP ${uptime(startedAt)}, 0 milliseconds, 0 microseconds\n` +
    `FreeSWITCH (Version ${services.version}) is ready\n` +
    `${sessionsSinceStart} session(s) since startup\n` +
    `${services.channels.size} session(s) - peak ${peak}, last 5min ${peak} \n` +
    `0 session(s) per Sec out of max ${sessionsPerSecond}, peak ${peak}, last 5min ${peak} \n` +
    `${maxSessions} session(s) max\n` +
    `min idle cpu 0.00/100.00\n`
  );
}

function channelRow(channel: Channel): Record<string, string> {
  const codec = channel.mediaUp ? channel.media.codec.name : '';
  return {
    uuid: channel.uuid,
    direction: channel.direction,
    created: new Date(channel.times.created / 1000).toISOString().slice(0, 19).replace('T', ' '),
    created_epoch: String(Math.floor(channel.times.created / 1e6)),
    name: channel.name,
    state: channel.state,
    cid_name: channel.caller.name,
    cid_num: channel.caller.number,
    ip_addr: channel.caller.networkAddress,
    dest: channel.caller.destination,
    application: channel.getVariable('current_application') ?? '',
    application_data: channel.getVariable('current_application_data') ?? '',
    dialplan: 'XML',
    context: 'mrf',
    read_codec: codec,
    read_rate: codec === '' ? '' : '8000',
    write_codec: codec,
    write_rate: codec === '' ? '' : '8000',
    secure: channel.media.secure ? 'srtp' : '',
    hostname: 'embedded',
    callstate: channel.callState,
    call_uuid: channel.partner === undefined ? '' : channel.callUuid,
  };
}

/** The two that this server speaks, as FreeSWITCH lists them. */
const CODEC_TABLE = 'type,name,ikey\ncodec,G.711 alaw,CORE_PCM_MODULE\ncodec,G.711 ulaw,CORE_PCM_MODULE\n\n2 total.\n';

const show: ApiCommand = (args, { channels }) => {
  const [what = '', ...rest] = words(args);
  if (what === 'codec' || what === 'codecs') {
    return CODEC_TABLE;
  }
  const all = [...channels.values()];
  const rows = (what === 'calls' ? all.filter((c) => c.partner === undefined || c.bridgeRole === 'a') : all).map(
    channelRow,
  );
  if (what !== 'channels' && what !== 'calls') {
    return '-USAGE: codec|channels|calls [count] [as json]\n';
  }
  if (rest[0] === 'count') {
    return rest.includes('json') ? `${JSON.stringify({ row_count: rows.length })}\n` : `\n${rows.length} total.\n`;
  }
  if (rest.includes('json')) {
    return rows.length === 0 ? '{"row_count": 0}\n' : `${JSON.stringify({ row_count: rows.length, rows })}\n`;
  }
  const [first] = rows;
  const head = first === undefined ? '' : `${Object.keys(first).join(',')}\n`;
  return `${head}${rows.map((row) => `${Object.values(row).join(',')}\n`).join('')}\n${rows.length} total.\n`;
};

const fsctl: ApiCommand = (args, services) => {
  const [what = '', value] = words(args);
  const { switches } = services;
  switch (what) {
    case 'max_sessions':
      switches.maxSessions = number(value, switches.maxSessions);
      return `+OK max sessions: ${switches.maxSessions}\n`;
    case 'sps':
      switches.sessionsPerSecond = number(value, switches.sessionsPerSecond);
      return `+OK sessions per second: ${switches.sessionsPerSecond}\n`;
    case 'min_idle_cpu':
      return '+OK min idle cpu: DISABLED\n';
    case 'pause':
    case 'resume':
      switches.pausedInbound = value === 'outbound' ? switches.pausedInbound : what === 'pause';
      switches.pausedOutbound = value === 'inbound' ? switches.pausedOutbound : what === 'pause';
      return OK;
    case 'hupall':
      return hupall(value ?? '', services).startsWith('+OK') ? OK : '-ERR\n';
    case 'loglevel':
      return `+OK log level: ${value ?? 'INFO'} [6]\n`;
    default:
      return '-USAGE: [max_sessions|sps|min_idle_cpu|pause|resume|hupall]\n';
  }
};

function number(text: string | undefined, fallback: number): number {
  const value = Number(text);
  return text !== undefined && Number.isInteger(value) && value > 0 ? value : fallback;
}

/** `hupall [cause [variable value]]` */
function hupall(args: string, { channels }: ApiServices): string {
  const [name = '', variable, value = ''] = words(args);
  const cause = name === '' ? 'MANAGER_REQUEST' : name.toUpperCase();
  const known = isCause(cause) ? cause : 'MANAGER_REQUEST';
  for (const channel of [...channels.values()]) {
    if (variable === undefined || channel.getVariable(variable) === value) {
      channel.hangup(known);
    }
  }
  return variable === undefined
    ? `+OK hangup all channels with cause ${known}\n`
    : `+OK hangup all channels matching [${variable}]=[${value}] with cause: ${known}\n`;
}

const MODULES: readonly string[] = [
  'mod_sofia',
  'mod_event_socket',
  'mod_dptools',
  'mod_commands',
  'mod_tone_stream',
  'mod_local_stream',
  'mod_sndfile',
];

export const SERVER_COMMANDS: Readonly<Record<string, ApiCommand>> = {
  sofia: (args, { profile, sipAddress }) =>
    /^status\b/.test(args.trim()) ? sofiaStatus(profile, sipAddress()) : '-USAGE: sofia status\n',
  show,
  status: (_args, services) => status(services),
  fsctl,
  hupall,
  originate: (args, services) => services.originate(args),
  version: (args, { version }) =>
    args.trim() === 'short' ? (version.split(' ')[0] ?? version) : `FreeSWITCH Version ${version}\n`,
  hostname: (_args, { hub }) => hub.identity.hostname,
  switchname: (_args, { hub }) => hub.identity.switchname,
  uptime: (args, services) => {
    const ms = Date.now() - services.figures().startedAt;
    return String(Math.floor(args.trim() === 'ms' ? ms : ms / 1000));
  },
  create_uuid: () => newId(),
  eval: (args, { channels, globals }) => {
    const [, uuid, text = args] = /^uuid:(\S+)\s+([^]*)$/.exec(args) ?? [];
    const channel = channels.get(uuid ?? '');
    return expandVariables(text, (name) => channel?.getVariable(name) ?? globals.get(name));
  },
  global_getvar: (args, { globals }) => {
    const name = args.trim();
    return name === '' ? [...globals].map(([k, v]) => `${k}=${v}\n`).join('') : (globals.get(name) ?? '');
  },
  global_setvar: (args, { globals }) => {
    const [, name = '', value = ''] = /^([^=\s]+)=([^]*)$/.exec(args.trim()) ?? [];
    if (name === '') {
      return '-USAGE: <var>=<value>\n';
    }
    if (value === '') {
      globals.delete(name);
    } else {
      globals.set(name, value);
    }
    return '+OK';
  },
  module_exists: (args) => String(MODULES.includes(args.trim())),
  application_exists: (args) => String(isApplication(args.trim())),
  file_exists: async (args) =>
    access(args.trim()).then(
      () => 'true',
      () => 'false',
    ),
  echo: (args) => args,
  log: () => OK,
  reloadxml: () => '+OK [Success]\n',
};
