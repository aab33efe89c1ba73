/**
 * Settings on the command line: `key=value`, where the key is a path in the configuration document (`presence.unknown`,
 * `endpoints.0.number`) and the value is YAML. `key=` takes the key away, `key+=value` adds to a list, `key-=value` takes out of
 * one: an entry that is equal, or whose name that is.
 */
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import { SidekickError } from '../../lib/errors';

export type Item = Readonly<Record<string, unknown>>;

export interface Setting {
  readonly path: readonly string[];
  readonly how: 'set' | 'unset' | 'add' | 'take';
  readonly value: unknown;
  /** The value as it was written. */
  readonly raw: string;
}

/** @throws SidekickError SK_USAGE */
export function parseSetting(text: string): Setting {
  const match = /^([A-Za-z0-9*#][\w.*#-]*?)([+-]?)=(.*)$/s.exec(text);
  const [, key = '', sign = '', raw = ''] = match ?? [];
  if (match === null) {
    throw new SidekickError('SK_USAGE', `"${text}" is not a setting`, {
      why: 'a setting is key=value, such as wrapUpSeconds=20 or presence.unknown=accept',
      next: 'docs/configuration.md names the keys and their values',
    });
  }
  const path = key.split('.');
  if (sign === '' && raw === '') {
    return { path, how: 'unset', value: undefined, raw };
  }
  return { path, how: sign === '+' ? 'add' : sign === '-' ? 'take' : 'set', value: valueOf(key, raw), raw };
}

function valueOf(key: string, raw: string): unknown {
  // YAML would read +4930… as a number.
  if (/^\+\d+$/.test(raw)) {
    return raw;
  }
  try {
    return withPlus(raw);
  } catch (error) {
    if (!/^[[{"']/.test(raw)) {
      return raw; // a text that YAML would take for something else, such as a tone pattern
    }
    throw new SidekickError('SK_USAGE', `the value of ${key} cannot be understood`, {
      why: (error as Error).message.split('\n')[0] ?? '',
      next: 'put a text in quotes of its own: key=\'"text: with a colon"\'',
      cause: error,
    });
  }
}

/** Phone numbers inside of lists and maps stay text too. */
function withPlus(raw: string): unknown {
  return parse(raw.replaceAll(/(?<=^|[\s[{,:])(\+\d+)(?=$|[\s\]},])/g, '"$1"'));
}

/** The item with the settings made, in order. @throws SidekickError SK_USAGE where a list is needed */
export function withSettings(item: Item, settings: readonly Setting[]): Item {
  return settings.reduce<Item>((made, setting) => change(made, setting.path, setting) as Item, item);
}

function change(at: unknown, [step = '', ...rest]: readonly string[], setting: Setting): unknown {
  if (Array.isArray(at)) {
    const index = /^\d+$/.test(step) ? Number(step) : at.findIndex((entry) => nameOf(entry) === step);
    const list = [...(at as unknown[])];
    if (index < 0 || index > list.length) {
      throw new SidekickError('SK_USAGE', `there is no entry ${step} in ${setting.path.slice(0, -1).join('.')}`, {
        why: `it has ${list.length} entries`,
        next: 'name an entry by its name, or by its place from 0',
      });
    }
    const made = rest.length === 0 ? changed(list[index], setting) : change(list[index], rest, setting);
    list.splice(index, 1, ...(made === undefined ? [] : [made]));
    return list;
  }
  const map = typeof at === 'object' && at !== null ? (at as Item) : {};
  const made = rest.length === 0 ? changed(map[step], setting) : change(map[step], rest, setting);
  if (made === undefined) {
    return Object.fromEntries(Object.entries(map).filter(([key]) => key !== step));
  }
  return { ...map, [step]: made };
}

function changed(old: unknown, { how, value, path }: Setting): unknown {
  switch (how) {
    case 'set': {
      return value;
    }
    case 'unset': {
      return undefined;
    }
    case 'add':
    case 'take': {
      if (old !== undefined && !Array.isArray(old)) {
        throw new SidekickError('SK_USAGE', `${path.join('.')} is not a list`, {
          why: '+= and -= are for lists',
          next: `set it with ${path.join('.')}=`,
        });
      }
      const list = (old ?? []) as unknown[];
      const values = Array.isArray(value) ? (value as unknown[]) : [value];
      return how === 'add'
        ? [...list, ...values]
        : list.filter((entry) => !values.some((v) => isDeepStrictEqual(entry, v) || nameOf(entry) === v));
    }
  }
}

/** What an entry of a list is called: name, agent, date or skill. */
function nameOf(entry: unknown): unknown {
  const { name, agent, date, skill, number } = (typeof entry === 'object' && entry !== null ? entry : {}) as Item;
  return agent ?? date ?? skill ?? number ?? name;
}

/** The value at a path; undefined where there is none. */
export function valueAt(item: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[step] : undefined),
    item,
  );
}
