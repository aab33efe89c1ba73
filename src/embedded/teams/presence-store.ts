import type { Clock, TimerHandle } from '../../lib/clock';
import type { Availability, Presence } from './presence-values';

/**
 * Presence of the simulated users as Graph shows it: sessions of the Teams client, of calls and of applications are put
 * together by rank, a preferred presence beats them all (teams-direct-routing-and-graph.md 3.3).
 */
export interface ShownPresence extends Presence {
  readonly id: string;
  /** Sorts as text in the order of the changes (3.1). */
  readonly sequenceNumber: string;
}

interface Session extends Presence {
  readonly since: number;
  readonly expiresAt: number;
}

interface Entry {
  /** What the user's own Teams client says. Offline = no client is signed in. */
  client: Presence;
  /** Calls that Teams knows of; the change shows only after the lag. */
  calls: number;
  shownCalls: number;
  readonly lagTimers: Set<TimerHandle>;
  readonly applications: Map<string, Session>;
  preferred: Session | undefined;
  sequence: number;
  shown: Presence;
}

/** DoNotDisturb > Busy > Available > Away (3.3); Idle variants rank with their base. */
const RANK: Readonly<Record<Availability, number>> = {
  DoNotDisturb: 5,
  Busy: 4,
  BusyIdle: 4,
  Available: 3,
  AvailableIdle: 3,
  BeRightBack: 2,
  Away: 2,
  Offline: 1,
  PresenceUnknown: 0,
};

const OFFLINE: Presence = { availability: 'Offline', activity: 'Offline' };
const IN_A_CALL: Presence = { availability: 'Busy', activity: 'InACall' };
/** An application's Available session fades: idle after 5 minutes, Away after 10 (3.3). */
const FADE_MS = 5 * 60_000;

export class PresenceStore {
  readonly #entries = new Map<string, Entry>();
  readonly #clock: Clock;
  #lagMs: number;
  #sequence = 0;

  /** @param lagMs how long Graph takes to show a call's begin and end, 0–60,000 (average below 10 s at Microsoft, 3.2) */
  constructor(clock: Clock, lagMs: number) {
    this.#clock = clock;
    this.#lagMs = lagMs;
  }

  add(id: string, presence: Presence): void {
    this.#entries.set(id.toLowerCase(), {
      client: presence,
      calls: 0,
      shownCalls: 0,
      lagTimers: new Set(),
      applications: new Map(),
      preferred: undefined,
      sequence: ++this.#sequence,
      shown: presence,
    });
  }

  setLag(ms: number): void {
    this.#lagMs = ms;
  }

  /** What Graph would answer for the user now; undefined if there is no such user. */
  read(id: string): ShownPresence | undefined {
    const entry = this.#entries.get(id.toLowerCase());
    if (!entry) {
      return undefined;
    }
    const now = this.#merge(entry);
    if (now.availability !== entry.shown.availability || now.activity !== entry.shown.activity) {
      entry.shown = now;
      entry.sequence = ++this.#sequence;
    }

    return { id: id.toLowerCase(), ...entry.shown, sequenceNumber: String(entry.sequence).padStart(20, '0') };
  }

  /** The user's own client changes its presence; false if there is no such user. */
  setClient(id: string, presence: Presence): boolean {
    const entry = this.#entries.get(id.toLowerCase());
    if (!entry) {
      return false;
    }
    entry.client = presence;

    return true;
  }

  /** A call of the user begins (+1) or ends (−1) at Teams. */
  countCall(id: string, change: 1 | -1): void {
    const entry = this.#entries.get(id.toLowerCase());
    if (!entry) {
      return;
    }
    entry.calls += change;
    if (this.#lagMs === 0) {
      entry.shownCalls = entry.calls;

      return;
    }
    const calls = entry.calls;
    const timer = this.#clock.setTimeout(() => {
      entry.lagTimers.delete(timer);
      entry.shownCalls = calls;
    }, this.#lagMs);
    entry.lagTimers.add(timer);
  }

  setApplication(id: string, application: string, presence: Presence, durationMs: number): void {
    const now = this.#clock.now();
    this.#entries
      .get(id.toLowerCase())
      ?.applications.set(application, { ...presence, since: now, expiresAt: now + durationMs });
  }

  /** Ends an application's session; false when it had none. */
  clearApplication(id: string, application: string): boolean {
    return this.#entries.get(id.toLowerCase())?.applications.delete(application) ?? false;
  }

  setPreferred(id: string, presence: Presence, durationMs: number): void {
    const entry = this.#entries.get(id.toLowerCase());
    const now = this.#clock.now();
    if (entry) {
      entry.preferred = { ...presence, since: now, expiresAt: now + durationMs };
    }
  }

  clearPreferred(id: string): void {
    const entry = this.#entries.get(id.toLowerCase());
    if (entry) {
      entry.preferred = undefined;
    }
  }

  close(): void {
    for (const entry of this.#entries.values()) {
      for (const timer of entry.lagTimers) {
        timer.clear();
      }
      entry.lagTimers.clear();
    }
  }

  #merge(entry: Entry): Presence {
    const now = this.#clock.now();
    const sessions: Presence[] = [entry.client];
    if (entry.shownCalls > 0) {
      sessions.push(IN_A_CALL);
    }
    for (const [application, session] of entry.applications) {
      if (session.expiresAt <= now) {
        entry.applications.delete(application);
      } else {
        sessions.push(faded(session, now));
      }
    }
    const live = sessions.filter((session) => session.availability !== 'Offline');
    if (entry.preferred && entry.preferred.expiresAt > now) {
      // Without any live session a preferred presence shows as Offline (3.3).
      return live.length > 0 ? pair(entry.preferred) : OFFLINE;
    }
    const best = live.reduce<Presence | undefined>(
      (top, session) => (top && RANK[top.availability] >= RANK[session.availability] ? top : session),
      undefined,
    );

    return best ? pair(best) : pair(entry.client);
  }
}

function faded(session: Session, now: number): Presence {
  const age = now - session.since;
  if (session.availability !== 'Available' || age < FADE_MS) {
    return session;
  }

  return age < 2 * FADE_MS
    ? { availability: 'AvailableIdle', activity: 'Inactive' }
    : { availability: 'Away', activity: 'Away' };
}

function pair({ availability, activity }: Presence): Presence {
  return { availability, activity };
}
