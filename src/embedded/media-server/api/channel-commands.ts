/** `uuid_…` commands (wire reference 5.7). Texts of the replies are FreeSWITCH's. */
import { newId } from '../../../lib/ids';
import { sendKeys } from '../apps/registry';
import { setRecording, startRecording, stopRecording } from '../apps/recording';
import { isCause } from '../channel/causes';
import type { Channel } from '../channel/channel';
import { channelHeaders } from '../channel/channel-headers';
import { parsePairs } from '../channel/variables';
import { headerLines } from '../esl/encode';
import type { ApiCommand, ApiServices } from './api-services';
import { NO_CHANNEL, OK, words } from './api-services';
import { parseInline } from './originate';

/** A leg that is being answered this very moment is waited for this long. */
const BRIDGE_PATIENCE_MS = 500;
const DEFAULT_KEY_SAMPLES = 2000;

/** A command whose first word is a channel that must exist. */
function onChannel(
  run: (channel: Channel, rest: string, services: ApiServices) => string | Promise<string>,
  missing = NO_CHANNEL,
): ApiCommand {
  return (args, services) => {
    const [, uuid = '', rest = ''] = /^\s*(\S+)\s*([^]*)$/.exec(args) ?? [];
    const channel = services.channels.get(uuid);
    return channel === undefined ? missing : run(channel, rest.trim(), services);
  };
}

const bridge: ApiCommand = async (args, services) => {
  const [first = '', second = ''] = words(args);
  const a = services.channels.get(first);
  const b = services.channels.get(second);
  if (a === undefined || b === undefined) {
    return '-ERR Invalid uuid\n';
  }
  if (!(await allUp([a, b])) || !services.control.bridge(a, b)) {
    return '-ERR Invalid uuid\n';
  }
  return `+OK ${second}\n`;
};

/** Resolves at once for channels that are answered or early. */
function allUp(channels: readonly Channel[]): Promise<boolean> {
  const ready = (): boolean => channels.every((c) => !c.ended && c.answerState !== 'ringing');
  if (ready()) {
    return Promise.resolve(true);
  }
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve(false);
    }, BRIDGE_PATIENCE_MS);
    for (const channel of channels) {
      channel.whenUp(() => {
        if (ready() || channel.ended) {
          clearTimeout(timer);
          resolve(ready());
        }
      });
    }
  });
}

function transfer(channel: Channel, rest: string, services: ApiServices): string {
  const list = words(rest);
  const which = /^-(both|bleg)$/.exec(list[0] ?? '')?.[1];
  if (which !== undefined) {
    list.shift();
  }
  const dialplan = list.at(-1)?.toLowerCase() === 'inline' ? 'inline' : 'xml';
  const destination = list[0];
  if (destination === undefined) {
    return '-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n';
  }
  const actions = dialplan === 'inline' ? parseInline(destination) : services.extension(destination);
  const target = which === 'bleg' ? channel.partner : channel;
  if (target === undefined) {
    return '-ERR No such channel!\n';
  }
  if (actions === undefined) {
    target.hangup('NO_ROUTE_DESTINATION');
  } else if (which === 'both') {
    services.control.transferBoth(target, actions);
  } else {
    services.control.transfer(target, actions);
  }
  return OK;
}

function broadcast(channel: Channel, rest: string): string {
  const [path = '', leg = 'aleg'] = words(rest);
  if (path === '') {
    return '-USAGE: <uuid> <path> [aleg|bleg|holdb|both]\n';
  }
  const [, app = 'playback', arg = path] = /^([a-z_]+)::([^]*)$/.exec(path) ?? [];
  const targets = leg === 'both' ? [channel, channel.partner] : [leg === 'bleg' ? channel.partner : channel];
  for (const target of targets) {
    target?.execute({ app, arg, appUuid: newId(), loops: 1, eventLock: false });
  }
  return '+OK Message sent\n';
}

function dump(channel: Channel, rest: string): string {
  const headers = { 'Event-Name': 'CHANNEL_DATA', ...channelHeaders(channel, true) };
  return rest === 'json' ? JSON.stringify(headers) : `${headerLines(headers)}\n`;
}

function recordCommand(channel: Channel, rest: string, services: ApiServices): string {
  const [action = '', path = ''] = words(rest);
  switch (action) {
    case 'start':
      return startRecording(channel, path, services.apps) ? '+OK Success\n' : '-ERR Cannot record session!\n';
    case 'stop':
      return stopRecording(channel, path) ? '+OK Success\n' : '-ERR Cannot stop record session!\n';
    case 'pause':
    case 'resume':
    case 'mask':
    case 'unmask':
      return setRecording(channel, path, action) ? '+OK Success\n' : `-ERR Cannot ${action} recording session!\n`;
    default:
      return '-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>]\n';
  }
}

function audio(channel: Channel, rest: string): string {
  const [action, which, what, level = '1'] = words(rest);
  if (action === 'stop') {
    channel.readMuted = channel.writeMuted = false;
    return '+OK Success\n';
  }
  if (action !== 'start' || what !== 'mute' || (which !== 'read' && which !== 'write')) {
    return '-ERR only mute is supported\n';
  }
  const muted = Number(level) > 0;
  if (which === 'read') {
    channel.readMuted = muted;
  } else {
    channel.writeMuted = muted;
  }
  return '+OK Success\n';
}

function hold(args: string, services: ApiServices): string {
  const [first = '', second] = words(args);
  const off = first === 'off' || first === 'toggle';
  const channel = services.channels.get(off ? (second ?? '') : first);
  if (channel === undefined) {
    return '-ERR Operation failed\n';
  }
  services.control.setHeld(channel, first === 'off' ? false : first === 'toggle' ? !channel.held : true, true);
  return '+OK Success\n';
}

function receiveKeys(channel: Channel, rest: string): string {
  const [, digits = '', ms] = /^([0-9*#A-D]+)(?:@(\d+))?$/i.exec(rest) ?? [];
  if (digits === '') {
    return '-USAGE: <uuid> <dtmf_data>\n';
  }
  for (const digit of digits.toUpperCase()) {
    channel.receiveKey(digit, ms === undefined ? DEFAULT_KEY_SAMPLES : Number(ms) * 8, 'APP');
  }
  return `+OK ${channel.uuid} received DTMF ${digits}.\n`;
}

function scheduleHangup(args: string, services: ApiServices): string {
  const [when = '', uuid = '', cause = 'ALLOTTED_TIMEOUT'] = words(args);
  const channel = services.channels.get(uuid);
  const [, plus, seconds] = /^(\+?)(\d+)$/.exec(when) ?? [];
  if (channel === undefined || seconds === undefined) {
    return channel === undefined ? NO_CHANNEL : '-USAGE: [+]<time> <uuid> [<cause>]\n';
  }
  const ms = plus === '+' ? Number(seconds) * 1000 : Number(seconds) * 1000 - Date.now();
  services.schedule(channel, Math.max(0, ms), () => {
    channel.hangup(isCause(cause) ? cause : 'ALLOTTED_TIMEOUT');
  });
  return OK;
}

export const CHANNEL_COMMANDS: Readonly<Record<string, ApiCommand>> = {
  uuid_exists: (args, { channels }) => String(channels.has(args.trim())),
  uuid_bridge: bridge,
  uuid_transfer: onChannel(transfer),
  uuid_break: onChannel((channel, rest) => {
    channel.runner.breakTop(rest === 'all');
    return OK;
  }),
  uuid_kill: onChannel((channel, rest) => {
    const cause = rest.toUpperCase();
    setImmediate(() => {
      channel.hangup(isCause(cause) ? cause : 'NORMAL_CLEARING');
    });
    return OK;
  }),
  uuid_park: onChannel((channel, _rest, { control }) => {
    control.park(channel);
    return OK;
  }),
  uuid_answer: onChannel((channel) => {
    channel.sip?.answer();
    return OK;
  }),
  uuid_setvar: onChannel((channel, rest) => {
    const [, name = '', value = ''] = /^(\S+)\s*([^]*)$/.exec(rest) ?? [];
    if (name === '') {
      return '-ERR No variable specified\n';
    }
    channel.setVariable(name, value);
    return OK;
  }),
  uuid_setvar_multi: onChannel((channel, rest) => {
    for (const [name, value] of parsePairs(rest, ';')) {
      channel.setVariable(name, value);
    }
    return OK;
  }),
  uuid_getvar: onChannel((channel, rest) => channel.getVariable(rest) ?? '_undef_'),
  uuid_dump: onChannel(dump),
  uuid_set_media_stats: onChannel(() => '+OK:\n'),
  uuid_broadcast: onChannel(broadcast),
  uuid_record: onChannel(recordCommand, '-ERR Cannot locate session!\n'),
  uuid_audio: onChannel(audio),
  uuid_hold: hold,
  uuid_send_dtmf: onChannel((channel, rest) => {
    const digits = rest.replace(/@\d+$/, '');
    return sendKeys(channel, rest) ? `+OK ${channel.uuid} sent DTMF ${digits}.\n` : '-ERR no keys sent\n';
  }),
  uuid_recv_dtmf: onChannel(receiveKeys),
  sched_hangup: scheduleHangup,
};
