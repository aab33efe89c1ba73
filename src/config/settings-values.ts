/** Parsers of single setting values. Each returns the value or throws an Error whose message says what was expected; a message
 * never repeats a value that can hold a secret. */
import { accessSync, constants, statSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import path from 'node:path';
import { GRAPH_CLOUDS, isGraphCloud } from './graph-clouds';
import type { GraphCloudName } from './graph-clouds';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface HostPortSecret extends HostPort {
  readonly secret: string;
}

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const HOST = String.raw`(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)`;
const HOST_PORT = new RegExp(`^${HOST}:(\\d{1,5})$`);
const HOST_PORT_SECRET = new RegExp(`^${HOST}:(\\d{1,5}):(.+)$`);

/** `host:port`, an IPv6 address in brackets; port 1 to 65535. */
export function hostPort(text: string): HostPort {
  return hostPortFrom(text, 1);
}

/** As hostPort, where port 0 means "any free one". */
export function hostPortAny(text: string): HostPort {
  return hostPortFrom(text, 0);
}

export function hostPortOrOff(text: string): HostPort | undefined {
  return text.toLowerCase() === 'off' ? undefined : hostPortAny(text);
}

function hostPortFrom(text: string, least: number): HostPort {
  const match = HOST_PORT.exec(text);
  if (!match?.[1] || !match[2]) {
    throw new Error(`is "${text}"; expected host:port such as 127.0.0.1:8080 or [::1]:8080`);
  }
  return { host: bareHost(match[1]), port: portNumber(match[2], least) };
}

/** A comma list of `host:port:secret`. A secret may hold colons, not commas. */
export function servers(text: string): HostPortSecret[] {
  const list = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part, index) => {
      const match = HOST_PORT_SECRET.exec(part);
      if (!match?.[1] || !match[2] || !match[3]) {
        throw new Error(`has an entry (number ${index + 1}) that is not host:port:secret`);
      }
      return { host: bareHost(match[1]), port: portNumber(match[2], 1), secret: match[3] };
    });
  if (list.length === 0) {
    throw new Error('names no server; expected host:port:secret');
  }
  const names = list.map((s) => `${s.host}:${s.port}`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new Error(`names ${twice} twice`);
  }
  return list;
}

function bareHost(host: string): string {
  if (!host.startsWith('[')) {
    return host;
  }
  const address = host.slice(1, -1);
  if (!isIPv6(address)) {
    throw new Error(`has ${host}, which is not an IPv6 address`);
  }
  return address;
}

function portNumber(text: string, least: number): number {
  const port = Number(text);
  if (port < least || port > 65_535) {
    throw new Error(`has port ${text}; a port is ${least} to 65535`);
  }
  return port;
}

/** `host:port` for printing, IPv6 in brackets. */
export function formatHostPort({ host, port }: HostPort): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

export function databaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol) || url.pathname.length < 2) {
    throw new Error('is not a URL such as postgres://user:password@host:5432/database');
  }
  return text;
}

/** The URL with its password replaced, and without a query that could hold one. */
export function maskUrl(text: string): string {
  if (!URL.canParse(text)) {
    return '***';
  }
  const url = new URL(text);
  if (url.password !== '') {
    url.password = '***';
  }
  if (url.search !== '') {
    url.search = '?***';
  }
  return url.toString();
}

/** An https URL without trailing slash; http is taken for a loopback address only, since a token travels on it. */
export function serviceUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['https:', 'http:'].includes(url.protocol) || url.username !== '' || url.search !== '') {
    throw new Error('is not a plain https URL');
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname.replace(/^\[|\]$/g, ''))) {
    throw new Error(
      `is http to ${url.hostname}; tokens travel on it, so only https is taken (http on this machine only)`,
    );
  }
  return text.replace(/\/+$/, '');
}

export function number(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most)) {
      throw new Error(`is "${text}"; expected a number from ${least} to ${most}`);
    }
    return value;
  };
}

export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = number(least, most)(text);
    if (!Number.isInteger(value)) {
      throw new Error(`is "${text}"; expected a whole number from ${least} to ${most}`);
    }
    return value;
  };
}

export function logLevel(text: string): (typeof LOG_LEVELS)[number] {
  const level = LOG_LEVELS.find((l) => l === text.toLowerCase());
  if (level === undefined) {
    throw new Error(`is "${text}"; expected one of ${LOG_LEVELS.join(', ')}`);
  }
  return level;
}

export function nodeId(text: string): string {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(text)) {
    throw new Error('may hold letters, digits, dots, dashes and underscores only, at most 64');
  }
  return text;
}

export function adminToken(text: string): string {
  if (text.length < 16 || /\s/.test(text)) {
    throw new Error(
      'is too short or holds spaces; use at least 16 characters, such as the output of `openssl rand -hex 32`',
    );
  }
  return text;
}

export function tenant(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/.test(text)) {
    throw new Error('is not a tenant id (GUID) or a domain');
  }
  return text;
}

export function plainText(text: string): string {
  return text;
}

export function readableFile(text: string): string {
  const file = path.resolve(text);
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw new Error(`names ${file}, which cannot be read`, { cause: error });
  }
  return file;
}

/** A comma list of files that can be read. */
export function readableFiles(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(readableFile);
}

export function onOff(text: string): boolean {
  const value = text.toLowerCase();
  if (value !== 'on' && value !== 'off') {
    throw new Error(`is "${text}"; expected on or off`);
  }
  return value === 'on';
}

export function cloud(text: string): GraphCloudName {
  const name = text.toLowerCase();
  if (!isGraphCloud(name)) {
    throw new Error(`is "${text}"; expected one of ${Object.keys(GRAPH_CLOUDS).join(', ')}`);
  }
  return name;
}

export function directory(text: string): string {
  const dir = path.resolve(text);
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Error(`names ${dir}, which is not a directory`);
  }
  return dir;
}
