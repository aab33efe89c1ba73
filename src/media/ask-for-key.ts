import { sleep } from '../lib/clock';

export interface KeyChannelLink {
  command(command: string): Promise<string>;
  api(command: string): Promise<string>;
}

const POLL_MS = 50;
/** FreeSWITCH needs this long to write the variable once its own time is over, milliseconds. */
const SLACK_MS = 500;
/** Set on the channel: empty while the question is open, then the key. */
const KEY_VARIABLE = 'sidekick_confirm_key';

/**
 * Asks on a parked channel for one key and parks it again: FreeSWITCH plays the prompt and takes the key, we look for the
 * result. A channel of ours that was originated has no event socket of its own to hear the key from.
 * Undefined: no key came in `timeoutMs`, or the channel went away. @throws SK_MEDIA_FAILED when the server cannot be asked.
 */
export async function askChannelForKey(
  link: KeyChannelLink,
  channel: string,
  promptUri: string,
  timeoutMs: number,
): Promise<string | undefined> {
  const ask = `play_and_get_digits:1 1 1 ${timeoutMs} none ${promptUri} silence_stream://20 ${KEY_VARIABLE} [0-9*#] ${timeoutMs}`;
  await link.command(`uuid_transfer ${channel} 'm:^:${ask}^set:${KEY_VARIABLE}_asked=true^park:' inline`);
  // The prompt itself takes its time, and a key ends it.
  const until = Date.now() + timeoutMs + SLACK_MS;
  while (Date.now() < until) {
    const key = (await link.api(`uuid_getvar ${channel} ${KEY_VARIABLE}`)).trim();
    if (/^[0-9*#]$/.test(key)) {
      return key;
    }
    const gone = key.startsWith('-ERR');
    if (gone || (await link.api(`uuid_getvar ${channel} ${KEY_VARIABLE}_asked`)).trim() === 'true') {
      return undefined;
    }
    await sleep(POLL_MS);
  }
  return undefined;
}
