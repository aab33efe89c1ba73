/** What the routes of the API share: the shape of answers, and reading what a client sends. */
import type { FastifyReply } from 'fastify';
import { SidekickError } from '../lib/errors';

export const API_VERSION = 'sidekick/v1';
const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1000;

export type Query = Readonly<Record<string, string | undefined>>;

export function answer(reply: FastifyReply, body: Readonly<Record<string, unknown>>): FastifyReply {
  return reply.header('cache-control', 'no-store').send({ apiVersion: API_VERSION, ...body });
}

export function flag(name: string, text: string | undefined): boolean {
  if (text === undefined || text === 'false' || text === '0') {
    return false;
  }
  if (text === '' || text === 'true' || text === '1') {
    return true;
  }
  throw usage(`${name} is true or false`);
}

export function limitOf(text: string | undefined): number {
  const limit = text === undefined ? DEFAULT_LIMIT : /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT) {
    throw usage(`limit is a number from 1 to ${MAX_LIMIT}`);
  }
  return limit;
}

/** A text of a body, trimmed; undefined where it is not there. */
export function textIn(body: unknown, key: string): string | undefined {
  const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[key] : undefined;
  if (value === undefined || value === null) {
    return undefined;
  }
  if (typeof value !== 'string' || value.trim() === '' || value.length > 200) {
    throw usage(`${key} is a text of 1 to 200 characters`);
  }
  return value.trim();
}

export function usage(why: string): SidekickError {
  return new SidekickError('SK_USAGE', 'the request cannot be understood', { why });
}

/** What is not the user's is not there: names of others are nobody's business. */
export function notFound(what: string): SidekickError {
  return new SidekickError('SK_NOT_FOUND', `there is no such ${what}`, {
    why: 'none of that name is in a place of this user',
    next: 'docs/api.md lists what can be asked for',
  });
}
