/** `originate {variables}sofia/profile/user@host &app(argument)`: calls somebody (wire reference 8.1.2). */
import { newId } from '../../../lib/ids';
import { isG711 } from '../../rtp/g711';
import type { G711Name } from '../../rtp/g711';
import { SDES_SUITE } from '../../rtp/srtp';
import type { DialplanAction } from '../channel/channel-control';
import { isTrue, parseBraces } from '../channel/variables';

export interface OriginateRequest {
  readonly uuid: string;
  readonly variables: ReadonlyMap<string, string>;
  /** SIP URI to call. */
  readonly uri: string;
  readonly profile: string;
  readonly actions: readonly DialplanAction[];
  readonly timeoutMs: number;
  readonly codecs: readonly G711Name[];
  readonly secure: boolean;
  readonly suppressCn: boolean;
  readonly ignoreEarlyMedia: boolean;
  readonly callerNumber: string;
  readonly callerName: string;
}

const USAGE =
  '-USAGE <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] [<timeout_sec>]\n';
const NOBODY = '0000000000';
const DEFAULT_TIMEOUT_SECONDS = 60;
const MAX_TIMEOUT_SECONDS = 3600;

/**
 * Reads the command; a string is the error to answer with.
 * @param defaultCodecs offered when `absolute_codec_string` is not given
 * @param extension finds the actions of a dialplan extension
 */
export function parseOriginate(
  args: string,
  defaultCodecs: readonly G711Name[],
  extension: (name: string) => readonly DialplanAction[] | undefined,
): OriginateRequest | string {
  const { variables, rest } = takeBraces(args.trim());
  const [, url = '', what = ''] = /^(\S+)\s+([^]+)$/.exec(rest) ?? [];
  if (url === '' || what === '') {
    return USAGE;
  }
  const [, profile, destination] = /^sofia\/([^/]+)\/(?:sips?:)?([^]+)$/.exec(url) ?? [];
  if (profile === undefined || destination === undefined) {
    return '-ERR CHAN_NOT_IMPLEMENTED\n';
  }
  const actions = parseTarget(what.trim(), extension);
  if (actions === undefined) {
    return USAGE;
  }
  const secure = securityOf(variables);
  const codecs = codecsOf(variables.get('absolute_codec_string'), defaultCodecs);
  if (secure === undefined || codecs.length === 0) {
    return '-ERR INCOMPATIBLE_DESTINATION\n';
  }
  const seconds = Number(
    variables.get('originate_timeout') ?? variables.get('call_timeout') ?? DEFAULT_TIMEOUT_SECONDS,
  );
  return {
    uuid: variables.get('origination_uuid') ?? newId(),
    variables,
    uri: `sip:${destination}`,
    profile,
    actions,
    timeoutMs:
      Math.min(MAX_TIMEOUT_SECONDS, Math.max(1, Number.isFinite(seconds) ? seconds : DEFAULT_TIMEOUT_SECONDS)) * 1000,
    codecs,
    secure,
    suppressCn: isTrue(variables.get('suppress_cng')) || isTrue(variables.get('suppress-cng')),
    ignoreEarlyMedia: isTrue(variables.get('ignore_early_media')),
    callerNumber: variables.get('origination_caller_id_number') ?? NOBODY,
    callerName: variables.get('origination_caller_id_name') ?? '',
  };
}

/** All groups in braces or brackets at the beginning. */
function takeBraces(args: string): { variables: Map<string, string>; rest: string } {
  const variables = new Map<string, string>();
  let rest = args;
  for (;;) {
    const close = { '{': '}', '<': '>', '[': ']' }[rest.charAt(0)];
    const end = close === undefined ? -1 : rest.indexOf(close);
    if (end < 0) {
      return { variables, rest };
    }
    for (const [name, value] of parseBraces(rest.slice(1, end))) {
      variables.set(name, value);
    }
    rest = rest.slice(end + 1).trimStart();
  }
}

/** `&app(argument)`, with or without quotes around it, or an extension, or `app:arg,app:arg inline`. */
function parseTarget(
  text: string,
  extension: (name: string) => readonly DialplanAction[] | undefined,
): readonly DialplanAction[] | undefined {
  const plain = text.replace(/^'([^]*?)'(\s[^]*)?$/, '$1').replace(/^"([^]*?)"(\s[^]*)?$/, '$1');
  const [, app, arg] = /^&([a-z_]+)(?:\(([^]*?)\))?(?:\s[^]*)?$/i.exec(plain) ?? [];
  if (app !== undefined) {
    return [{ app, arg: arg ?? '' }];
  }
  const [name = '', dialplan = ''] = plain.split(/\s+/);
  return dialplan.toLowerCase() === 'inline' ? parseInline(name) : extension(name);
}

/** `app:argument,app:argument`; the first colon ends the name. `m:^:` in front chooses another separator. */
export function parseInline(text: string): DialplanAction[] {
  const [, separator = ',', body = text] = /^m:(.):([^]*)$/.exec(text) ?? [];
  return body
    .split(separator)
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const at = part.indexOf(':');
      return at < 0 ? { app: part.trim(), arg: '' } : { app: part.slice(0, at).trim(), arg: part.slice(at + 1) };
    });
}

/** True for SRTP, false for plain; undefined if only suites are demanded that we do not have. */
function securityOf(variables: ReadonlyMap<string, string>): boolean | undefined {
  const value = variables.get('rtp_secure_media_outbound') ?? variables.get('rtp_secure_media') ?? 'false';
  const [mode = '', suites] = value.split(':', 2);
  if (mode !== 'mandatory' && !isTrue(mode)) {
    return false;
  }
  return suites === undefined || suites.split(/[,|]/).includes(SDES_SUITE) ? true : undefined;
}

function codecsOf(list: string | undefined, defaults: readonly G711Name[]): readonly G711Name[] {
  if (list === undefined) {
    return defaults;
  }
  const names = list.split(',').map((name) => name.trim().toUpperCase().replace(/@.*$/, ''));
  return [...new Set(names)].filter(isG711);
}
