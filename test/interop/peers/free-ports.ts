import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const HOST = '127.0.0.1';
/** Below the range from which the system gives out ports by itself, so that nothing else takes one in between. */
const LOWEST = 12_000;
const HIGHEST = 19_000;
const TRIES = 300;

/**
 * Finds `count` ports in a row that are free on 127.0.0.1 for UDP and TCP; the first is even. For programs that must be told
 * their ports. Nothing reserves them: the program has to bind soon.
 */
export async function freePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const first = LOWEST + 2 * Math.floor((Math.random() * (HIGHEST - LOWEST - count)) / 2);
    const ports = Array.from({ length: count }, (_, i) => first + i);
    const free = await Promise.all(ports.flatMap((port) => [udpIsFree(port), tcpIsFree(port)]));
    if (free.every(Boolean)) {
      return first;
    }
  }
  throw new Error(`no ${count} free ports in a row between ${LOWEST} and ${HIGHEST}`);
}

function udpIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => {
      socket.close(() => {
        resolve(false);
      });
    });
    socket.bind({ address: HOST, port, exclusive: true }, () => {
      socket.close(() => {
        resolve(true);
      });
    });
  });
}

function tcpIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ host: HOST, port, exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
