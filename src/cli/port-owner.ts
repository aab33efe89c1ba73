/** Who has a port: as far as /proc tells, which on Linux is for processes of the same user (or for root). */
import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { SidekickError } from '../lib/errors';
import { errorCodeOf } from '../lib/errno';

export interface PortOwner {
  readonly pid: number;
  readonly name: string;
}

export type Transport = 'tcp' | 'udp';

/**
 * Finds out whether a port is free by binding it for a moment.
 * @throws SidekickError SK_PORT_TAKEN naming the port, the option that moves it and the program that has it;
 * SK_USAGE for an address that is not of this machine.
 */
export async function requireFreePort(
  transport: Transport,
  at: { readonly host: string; readonly port: number },
  option: string,
): Promise<void> {
  if (at.port === 0) {
    return;
  }
  const code = await (transport === 'tcp' ? tryTcp(at) : tryUdp(at));
  if (code === undefined) {
    return;
  }
  const where = `${transport} port ${at.port} on ${at.host}`;
  if (code !== 'EADDRINUSE' && code !== 'EACCES') {
    throw new SidekickError('SK_USAGE', `${option} cannot be ${at.host}:${at.port}`, {
      why: `this machine refuses to listen there (${code})`,
      next: `give ${option} an address of this machine, such as 127.0.0.1:${at.port}`,
    });
  }
  const owner = code === 'EADDRINUSE' ? portOwner(transport, at.port) : undefined;
  const used = owner ? `it is used by process ${owner.pid} (${owner.name})` : 'another program uses it';
  throw new SidekickError('SK_PORT_TAKEN', `${where} is taken`, {
    why: code === 'EACCES' ? 'this user may not use that port' : used,
    next: `stop that program, or choose another port: ${option} ${at.host}:${suggestion(at.port)}`,
    context: { ...at, option, ...(owner ? { pid: owner.pid } : {}) },
  });
}

function suggestion(port: number): number {
  return port < 1024 ? port + 10_000 : port <= 55_000 ? port + 10_000 : port - 10_000;
}

function tryTcp({ host, port }: { readonly host: string; readonly port: number }): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(errorCodeOf(error) ?? 'unknown'));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function tryUdp({ host, port }: { readonly host: string; readonly port: number }): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4' });
    socket.once('error', (error) => {
      socket.close();
      resolve(errorCodeOf(error) ?? 'unknown');
    });
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(undefined)));
  });
}

/** The process that holds the port; undefined where it cannot be seen. */
export function portOwner(transport: Transport, port: number, proc = '/proc'): PortOwner | undefined {
  const inodes = new Set(
    [transport, `${transport}6`].flatMap((table) => socketInodes(readText(`${proc}/net/${table}`), transport, port)),
  );
  if (inodes.size === 0) {
    return undefined;
  }
  const pids = entries(proc).filter((name) => /^\d+$/.test(name));
  const pid = pids.find((p) =>
    entries(`${proc}/${p}/fd`).some((fd) => inodes.has(socketInode(`${proc}/${p}/fd/${fd}`))),
  );
  return pid === undefined ? undefined : { pid: Number(pid), name: processName(proc, pid) };
}

/** Inodes of the sockets in /proc/net/tcp or udp that listen on the port. */
function socketInodes(table: string, transport: Transport, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return table.split('\n').flatMap((row) => {
    const [, local, , state, , , , , , inode] = row.trim().split(/\s+/);
    const listens = transport === 'udp' || state === '0A';
    return local?.endsWith(`:${hex}`) && listens && inode !== undefined && inode !== '0' ? [inode] : [];
  });
}

function socketInode(link: string): string {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(link))?.[1] ?? '';
  } catch {
    return ''; // the descriptor or its process is gone, or not ours to see
  }
}

function processName(proc: string, pid: string): string {
  const command = readText(`${proc}/${pid}/cmdline`)
    .split('\0')
    .filter((part) => part !== '')
    .join(' ');
  const name = command === '' ? readText(`${proc}/${pid}/comm`).trim() : command;
  return name.length > 80 ? `${name.slice(0, 79)}…` : name || 'unknown';
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // not there, or not ours to see
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // not there, or not ours to see
  }
}
