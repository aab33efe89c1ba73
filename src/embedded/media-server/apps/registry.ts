/** The applications that `sendmsg … execute`, the dialplan and inline transfers can run. */
import type { Application } from '../channel/app-runner';
import type { Channel } from '../channel/channel';
import { expandVariables, parsePairs } from '../channel/variables';
import { isCause } from '../channel/causes';
import type { AppContext, AppFunction, AppServices, OpenSocket } from './app-context';
import { InbandKeys } from './inband-keys';
import { playAndGetDigits } from './play-and-get-digits';
import { playback } from './playback';
import { record, setRecording, startRecording, stopRecording } from './recording';

const DEFAULT_KEY_SAMPLES = 2000;
const MIN_KEY_SAMPLES = 400;

function setVariable({ channel, arg }: AppContext): undefined {
  const at = arg.indexOf('=');
  const name = (at < 0 ? arg : arg.slice(0, at)).trim();
  if (name !== '') {
    channel.setVariable(name, at < 0 ? undefined : arg.slice(at + 1).trim());
  }
  return undefined;
}

function setMany({ channel, arg }: AppContext): undefined {
  for (const [name, value] of parsePairs(arg, ' ')) {
    channel.setVariable(name, value);
  }
  return undefined;
}

async function sleep({ frame, arg }: AppContext): Promise<undefined> {
  const until = performance.now() + (Number(arg) || 0);
  if (performance.now() < until) {
    await frame.perform({ step: () => performance.now() >= until });
  }
  return undefined;
}

async function park({ channel, frame }: AppContext): Promise<undefined> {
  channel.emit('CHANNEL_PARK');
  await frame.perform({ unbreakable: true });
  channel.emit('CHANNEL_UNPARK');
  return undefined;
}

/** Dials the app and stays until the connection is lost (`async`); then the dialplan goes on. */
async function socket({ channel, arg, frame, services }: AppContext): Promise<string | undefined> {
  const [target = '', ...words] = arg.trim().split(/\s+/);
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(target) ?? [];
  if (host === '') {
    return '-ERR no host:port';
  }
  let connection: OpenSocket | undefined;
  let settled = false;
  void services.openSocket(channel, host, Number(port), words.includes('full')).then((opened) => {
    connection = opened;
    settled = true;
  });
  const dialled = await frame.perform({ unbreakable: true, step: () => settled });
  if (dialled === 'abort' || connection === undefined) {
    return undefined;
  }
  const open: OpenSocket = connection;
  channel.emit('CHANNEL_PARK');
  await frame.perform({ unbreakable: true, step: () => open.closed });
  channel.emit('CHANNEL_UNPARK');
  return undefined;
}

export function sendKeys(channel: Channel, text: string): boolean {
  const [, digits = '', ms] = /^([0-9*#A-Dw, ]*)(?:@(\d+))?$/i.exec(text.trim()) ?? [];
  const samples = ms === undefined ? DEFAULT_KEY_SAMPLES : Math.max(MIN_KEY_SAMPLES, Number(ms) * 8);
  return digits !== '' && channel.media.sendKeys(digits, samples);
}

function setMute({ channel, arg }: AppContext): undefined {
  const [which, value] = arg.trim().split(/\s+/);
  const muted = value === 'true' || Number(value) > 0;
  if (which === 'read') {
    channel.readMuted = muted;
  } else if (which === 'write') {
    channel.writeMuted = muted;
  }
  return undefined;
}

const APPLICATIONS: Readonly<Record<string, AppFunction>> = {
  answer: ({ channel }) => {
    channel.sip?.answer();
    return undefined;
  },
  pre_answer: ({ channel }) => {
    channel.sip?.preAnswer();
    return undefined;
  },
  set: setVariable,
  multiset: setMany,
  export: (context) => {
    const [, arg = context.arg] = /^nolocal:([^]*)$/.exec(context.arg) ?? [];
    return setVariable({ ...context, arg });
  },
  unset: ({ channel, arg }) => {
    channel.setVariable(arg.trim(), undefined);
    return undefined;
  },
  playback,
  endless_playback: async (context) => {
    for (;;) {
      const before = performance.now();
      const response = await playback(context);
      if (
        response !== 'FILE PLAYED' ||
        context.channel.ended ||
        context.frame.stopped ||
        performance.now() - before < 100
      ) {
        return response;
      }
    }
  },
  play_and_get_digits: playAndGetDigits,
  park,
  sleep,
  socket,
  record,
  record_session: ({ channel, arg, services }) => {
    startRecording(channel, arg.trim().split(/\s+/)[0] ?? '', services);
    return undefined;
  },
  stop_record_session: ({ channel, arg }) => {
    stopRecording(channel, arg.trim());
    return undefined;
  },
  record_session_pause: ({ channel, arg }) => {
    setRecording(channel, arg.trim(), 'pause');
    return undefined;
  },
  record_session_resume: ({ channel, arg }) => {
    setRecording(channel, arg.trim(), 'resume');
    return undefined;
  },
  record_session_mask: ({ channel, arg }) => {
    setRecording(channel, arg.trim(), 'mask');
    return undefined;
  },
  record_session_unmask: ({ channel, arg }) => {
    setRecording(channel, arg.trim(), 'unmask');
    return undefined;
  },
  send_dtmf: ({ channel, arg }) => {
    sendKeys(channel, arg);
    return undefined;
  },
  start_dtmf: ({ channel }) => {
    channel.inband ??= new InbandKeys();
    return undefined;
  },
  stop_dtmf: ({ channel }) => {
    channel.inband = undefined;
    return undefined;
  },
  set_mute: setMute,
  hangup: ({ channel, arg }) => {
    const cause = arg.trim().toUpperCase();
    channel.hangup(isCause(cause) ? cause : 'NORMAL_CLEARING');
    return undefined;
  },
  log: () => undefined,
  info: () => undefined,
};

/** Prepares an application with its argument expanded; undefined if there is none of that name. */
export function prepareApplication(
  channel: Channel,
  name: string,
  rawArg: string,
  services: AppServices,
): Application | undefined {
  const run = Object.hasOwn(APPLICATIONS, name) ? APPLICATIONS[name] : undefined;
  if (run === undefined) {
    return undefined;
  }
  const arg = expandVariables(rawArg, (variable) => channel.getVariable(variable));
  return {
    name,
    arg,
    run: async (frame) => run({ channel, arg, frame, services }),
  };
}

export function isApplication(name: string): boolean {
  return Object.hasOwn(APPLICATIONS, name);
}
