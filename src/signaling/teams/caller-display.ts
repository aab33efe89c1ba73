import type { CallerIdentity } from '../../calls/ports';
import type { TeamsTrunk } from './teams-trunk';

/** Teams shows no more of a name than this, and a long header helps nobody. */
const MAX_NAME = 60;

/**
 * The text in front of the address in From, which is the only text of ours that the agent's Teams shows with the call.
 * Undefined: none, Teams then shows the number. A withheld number stays withheld.
 */
export function callerDisplay(
  show: TeamsTrunk['showCaller'],
  caller: CallerIdentity,
  queue: string,
): string | undefined {
  const number = caller.number ?? 'Anonymous';
  switch (show) {
    case 'name': {
      return clean(caller.name);
    }
    case 'number': {
      return caller.number;
    }
    case 'queue-and-number': {
      return clean(`${queue} · ${number}`);
    }
    case 'queue-and-name': {
      return clean(`${queue} · ${clean(caller.name) ?? number}`);
    }
  }
}

/** One line without what would break a quoted string (RFC 3261 25.1); undefined if nothing is left. */
function clean(text: string | undefined): string | undefined {
  const plain = (text ?? '')
    .replace(/[\u0000-\u001F\u007F]+/g, ' ')
    .replace(/["\\]/g, '')
    .trim();
  // By code points, so that no half of a surrogate pair is left.
  const short = Array.from(plain).slice(0, MAX_NAME).join('').trim();
  return short === '' ? undefined : short;
}
