import { newId } from '../../lib/ids';

/** The Reason header of Teams' refusals (1.11): `Q.850;cause=<n>;text="<guid>;<phrase>"`. */
export function reasonHeader(cause: number, phrase: string): string {
  return `Q.850;cause=${cause};text="${newId()};${phrase.replace(/["\\]/g, "'")}"`;
}

/** True if a CANCEL says that somebody else took the call, so that no missed call is to be shown (1.10). */
export function completedElsewhere(reason: string | undefined): boolean {
  return reason !== undefined && /\bSIP\b/i.test(reason) && /;\s*cause\s*=\s*200\b/i.test(reason);
}
