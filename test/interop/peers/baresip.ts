import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import path from 'node:path';
import { ToneDetector, ToneGenerator } from '../../../src/embedded/rtp/tone';
import { readWav, writeWav } from '../../../src/embedded/rtp/wav';
import { freePorts } from './free-ports';
import { installed } from './installed';
import { readNetstrings, writeNetstring } from './netstring';
import type { PeerProcess, PeerRoom } from './peer-process';

/** How long the voice of a peer lasts, seconds; no test call is longer. */
const VOICE_SECONDS = 60;
const READY_MS = 10_000;
const RTP_PORTS = 20;

export interface BaresipOptions {
  /** User part of its address, by which it is called. */
  readonly user: string;
  /** Its voice, Hz. */
  readonly toneHz: number;
  /** Default udp. It listens on all of them; this is how it calls. */
  readonly transport?: 'udp' | 'tcp' | 'tls';
  /** `srtp-mand` = RTP/SAVP with SDES keys and nothing else. Default plain RTP. */
  readonly media?: 'rtp' | 'srtp-mand';
  /** Default PCMA. */
  readonly codec?: 'PCMA' | 'PCMU';
  /** Answers by itself. Default: waits for `accept`. */
  readonly answers?: boolean;
  /** Key and certificates in one PEM, for TLS. */
  readonly identity?: string;
}

export interface BaresipEvent {
  readonly type: string;
  readonly param: string;
}

const modulesFolder = (): string => {
  const found = ['/usr/lib/baresip/modules', '/usr/local/lib/baresip/modules'].find((folder) => existsSync(folder));
  if (found === undefined) {
    throw new Error('baresip is installed, its modules are not found');
  }
  return found;
};

/** A softphone: speaks a tone, records what it hears, and is told what to do over its control socket. */
export class Baresip {
  readonly sipPort: number;
  readonly tlsPort: number;
  readonly events: BaresipEvent[] = [];
  readonly #process: PeerProcess;
  readonly #recordings: string;
  #control: Socket | undefined;
  #received: Buffer = Buffer.alloc(0);

  private constructor(process: PeerProcess, recordings: string, sipPort: number) {
    this.#process = process;
    this.#recordings = recordings;
    this.sipPort = sipPort;
    this.tlsPort = sipPort + 1;
  }

  /** Starts it and waits until it can be told what to do. @throws Error with its output if it does not come up */
  static async start(room: PeerRoom, options: BaresipOptions): Promise<Baresip> {
    const { file } = installed('baresip');
    if (file === undefined) {
      throw new Error('baresip is not installed');
    }
    const folder = room.folder();
    const recordings = path.join(folder, 'heard');
    mkdirSync(recordings);
    const port = await freePorts(4 + RTP_PORTS);
    const tone = path.join(folder, 'voice.wav');
    writeFileSync(tone, writeWav(new ToneGenerator([options.toneHz]).next(8_000 * VOICE_SECONDS)));
    if (options.identity !== undefined) {
      writeFileSync(path.join(folder, 'identity.pem'), options.identity);
    }
    writeFileSync(path.join(folder, 'config'), config({ folder, recordings, tone, port, options }));
    writeFileSync(path.join(folder, 'accounts'), `${account(options, port)}\n`);
    writeFileSync(path.join(folder, 'contacts'), '');
    const phone = new Baresip(room.start(file, ['-f', folder, '-s'], folder), recordings, port);
    room.onClose(() => {
      phone.#control?.destroy();
    });
    await phone.#connect(port + 2);
    return phone;
  }

  /** Calls an address such as `sip:+49301000100@127.0.0.1:5060;transport=tcp`. */
  dial(uri: string): void {
    this.#command('dial', uri);
  }

  accept(): void {
    this.#command('accept');
  }

  hangUp(): void {
    this.#command('hangup');
  }

  hold(): void {
    this.#command('hold');
  }

  resume(): void {
    this.#command('resume');
  }

  /** Waits for an event, such as CALL_ESTABLISHED, that came after the first `from` events. @throws Error with its output */
  async event(type: string, from = 0, timeoutMs = 10_000): Promise<BaresipEvent> {
    const until = Date.now() + timeoutMs;
    for (;;) {
      const found = this.events.slice(from).find((event) => event.type === type);
      if (found) {
        return found;
      }
      if (Date.now() > until || !this.#process.running) {
        const seen = this.events.map((event) => event.type).join(', ') || 'none';
        throw new Error(`baresip had no ${type} in ${timeoutMs} ms (events: ${seen})\n${this.output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  get output(): string {
    return this.#process.output;
  }

  /** How long it heard each of the tones in its last call, milliseconds. The recording is whole once the call has ended. */
  heard(frequencies: readonly number[]): ReadonlyMap<number, number> {
    const file = readdirSync(this.#recordings)
      .filter((name) => name.endsWith('-dec.wav'))
      .sort()
      .at(-1);
    const detector = new ToneDetector(frequencies);
    if (file !== undefined) {
      detector.push(readWav(readFileSync(path.join(this.#recordings, file))).pcm);
    }
    return new Map(frequencies.map((hz) => [hz, detector.heardMs(hz)]));
  }

  async #connect(port: number): Promise<void> {
    const until = Date.now() + READY_MS;
    while (!this.#control) {
      if (Date.now() > until || !this.#process.running) {
        throw new Error(`baresip did not come up\n${this.output}`);
      }
      this.#control = await open(port);
    }
    this.#control.on('data', (chunk: Buffer) => {
      this.#take(chunk);
    });
  }

  #take(chunk: Buffer): void {
    const { texts, rest } = readNetstrings(Buffer.concat([this.#received, chunk]));
    this.#received = rest;
    for (const text of texts) {
      const { event, type, param } = JSON.parse(text) as { event?: boolean; type?: string; param?: string };
      if (event === true && type !== undefined) {
        this.events.push({ type, param: param ?? '' });
      }
    }
  }

  #command(command: string, params = ''): void {
    this.#control?.write(writeNetstring(JSON.stringify({ command, params })));
  }
}

function open(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      resolve(socket);
    });
    socket.on('error', () => {
      // Not up yet, or ended while it was being told something: whoever waits for an event will say so.
      setTimeout(() => {
        resolve(undefined);
      }, 50);
    });
  });
}

function account(options: BaresipOptions, port: number): string {
  const { user, transport = 'udp', media = 'rtp', codec = 'PCMA', answers = false } = options;
  const listens = transport === 'tls' ? port + 1 : port;
  return [
    `<sip:${user}@127.0.0.1:${listens};transport=${transport}>`,
    'regint=0',
    `audio_codecs=${codec}/8000/1`,
    `answermode=${answers ? 'auto' : 'manual'}`,
    ...(media === 'rtp' ? [] : [`mediaenc=${media}`]),
  ].join(';');
}

interface ConfigParts {
  readonly folder: string;
  readonly recordings: string;
  readonly tone: string;
  readonly port: number;
  readonly options: BaresipOptions;
}

function config({ folder, recordings, tone, port, options }: ConfigParts): string {
  const identity = options.identity === undefined ? [] : [`sip_certificate ${path.join(folder, 'identity.pem')}`];
  const modules = ['g711', 'srtp', 'aufile', 'aubridge', 'sndfile'].map((name) => `module ${name}.so`);
  return [
    'poll_method epoll',
    `sip_listen 127.0.0.1:${port}`,
    ...identity,
    'net_interface 127.0.0.1',
    `rtp_ports ${port + 4}-${port + 4 + RTP_PORTS - 1}`,
    'audio_player aubridge,nobody',
    `audio_source aufile,${tone}`,
    'audio_alert aubridge,nobody',
    'audio_srate 8000',
    'audio_channels 1',
    `snd_path ${recordings}`,
    `ctrl_tcp_listen 127.0.0.1:${port + 2}`,
    `module_path ${modulesFolder()}`,
    ...modules,
    'module_tmp account.so',
    'module_app menu.so',
    'module_app ctrl_tcp.so',
    '',
  ].join('\n');
}
