/** `context`: installations by name, for those who look after several. */
import { databaseUrl, maskUrl, serviceUrl } from '../../config/settings-values';
import { describeError, SidekickError } from '../../lib/errors';
import { confirm } from '../confirm';
import type { Context, ListOptions } from '../context';
import { say } from '../context';
import type { NamedContext } from '../contexts';
import { findContext, readContexts, writeContexts } from '../contexts';
import { line } from '../io';
import type { ListView } from '../output/list';
import { outputFormat, printList } from '../output/list';

export interface ContextSetOptions {
  readonly database?: string;
  readonly url?: string;
}

interface Row extends NamedContext {
  readonly name: string;
  readonly current: boolean;
}

const masked = ({ database }: NamedContext): string => (database === undefined ? '' : maskUrl(database));

const VIEW: ListView<Row> = {
  noun: 'contexts',
  columns: [
    { title: 'current', text: (c) => (c.current ? '*' : '') },
    { title: 'name', text: (c) => c.name },
    { title: 'database', text: masked },
    { title: 'server', text: (c) => c.server ?? '' },
  ],
  name: (c) => c.name,
  json: (c) => ({ name: c.name, current: c.current, database: masked(c) || null, server: c.server ?? null }),
  empty: 'no contexts; `sidekick context set NAME --database URL` makes one',
};

export function listContexts(context: Context, options: Omit<ListOptions, 'data'>): Promise<number> {
  const { io } = context;
  const format = outputFormat(io, options);
  const { contexts, current } = readContexts(io.env);
  const rows = Object.entries(contexts).map(([name, one]) => ({ name, current: name === current, ...one }));
  printList(io, VIEW, rows, format);
  return Promise.resolve(0);
}

/** @throws SidekickError SK_NOT_FOUND */
export function useContext({ io }: Context, name: string): Promise<number> {
  const file = readContexts(io.env);
  findContext(file, name);
  writeContexts(io.env, { ...file, current: name });
  line(io.stdout, `${name} is the usual context now`);
  return Promise.resolve(0);
}

/** Makes a context or changes what is given of it; the first one becomes the usual one. @throws SidekickError SK_USAGE */
export function setContext(context: Context, name: string, options: ContextSetOptions): Promise<number> {
  const { io } = context;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) {
    throw new SidekickError('SK_USAGE', `a context cannot be named "${name}"`, {
      why: 'a name holds letters, digits, dots, underscores and hyphens',
      next: 'choose a name such as prod or test-2',
    });
  }
  const file = readContexts(io.env);
  const old = Object.hasOwn(file.contexts, name) ? file.contexts[name] : undefined;
  const database =
    options.database === undefined ? old?.database : checked('--database', databaseUrl, options.database);
  const server = options.url === undefined ? old?.server : checked('--url', serviceUrl, options.url);
  if (database === undefined && server === undefined) {
    throw new SidekickError('SK_USAGE', `nothing is known of the context ${name}`, {
      why: 'neither --database nor --url was given',
      next: `sidekick context set ${name} --database postgres://user:password@host/sidekick`,
    });
  }
  const made: NamedContext = {
    ...(database === undefined ? {} : { database }),
    ...(server === undefined ? {} : { server }),
  };
  const path = writeContexts(io.env, {
    current: file.current ?? name,
    contexts: { ...file.contexts, [name]: made },
  });
  line(io.stdout, `${name} is ${old === undefined ? 'made' : 'changed'}`);
  say(context, `kept in ${path}, which only you can read`);
  return Promise.resolve(0);
}

/** @throws SidekickError SK_NOT_FOUND, SK_NOT_CONFIRMED */
export async function deleteContext(context: Context, name: string, yes: boolean | undefined): Promise<number> {
  const { io } = context;
  const file = readContexts(io.env);
  findContext(file, name);
  await confirm(context, { action: `forget the context ${name}`, touches: [], yes });
  const contexts = Object.fromEntries(Object.entries(file.contexts).filter(([other]) => other !== name));
  writeContexts(
    io.env,
    file.current === undefined || file.current === name ? { contexts } : { contexts, current: file.current },
  );
  line(io.stdout, `${name} is forgotten`);
  return 0;
}

function checked(option: string, parse: (text: string) => string, text: string): string {
  try {
    return parse(text);
  } catch (error) {
    throw new SidekickError('SK_USAGE', `${option} cannot be understood`, {
      why: describeError(error),
      next: `correct ${option}`,
      cause: error,
    });
  }
}
