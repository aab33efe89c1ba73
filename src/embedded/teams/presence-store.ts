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
  /** What was shown before the last change, as a front end that lags would still show it. */
  before: { readonly shown: Presence; readonly sequence: number; readonly until: number } | undefined;
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
  /** Whether changes of the user's own client show late too. */
  #lagAll = false;
  #sequence = 0;
  #onChange: (shown: ShownPresence) => void = () => undefined;

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
      before: undefined,
    });
  }

  /** Calls back whenever what Graph shows has changed. */
  onChange(changed: (shown: ShownPresence) => void): void {
    this.#onChange = changed;
  }

  setLag(ms: number, all = false): void {
    this.#lagMs = ms;
    this.#lagAll = all;
  }

  /** Numbers begin anew, for everybody. */
  restartSequence(): void {
    this.#sequence = 0;
    for (const entry of this.#entries.values()) {
      entry.sequence = ++this.#sequence;
      entry.before = undefined;
    }
  }

  /** What a front end that lags `lagMs` behind would answer: the value before the last change, with its number. */
  readBefore(id: string, lagMs: number): ShownPresence | undefined {
    const now = this.read(id);
    const before = this.#entries.get(id.toLowerCase())?.before;
    return now && before && this.#clock.now() < before.until + lagMs
      ? { id: now.id, ...before.shown, sequenceNumber: numbered(before.sequence) }
      : now;
  }

  /** What Graph would answer for the user now; undefined if there is no such user. */
  read(id: string): ShownPresence | undefined {
    const entry = this.#entries.get(id.toLowerCase());
    if (!entry) {
      return undefined;
    }
    this.#look(id, entry);

    return { id: id.toLowerCase(), ...entry.shown, sequenceNumber: numbered(entry.sequence) };
  }

  /** Notes and tells a change of what is shown. */
  #look(id: string, entry: Entry): void {
    const now = this.#merge(entry);
    if (now.availability === entry.shown.availability && now.activity === entry.shown.activity) {
      return;
    }
    entry.before = { shown: entry.shown, sequence: entry.sequence, until: this.#clock.now() };
    entry.shown = now;
    entry.sequence = ++this.#sequence;
    this.#onChange({ id: id.toLowerCase(), ...now, sequenceNumber: numbered(entry.sequence) });
  }

  /** The user's own client changes its presence; false if there is no such user. */
  setClient(id: string, presence: Presence): boolean {
    const entry = this.#entries.get(id.toLowerCase());
    if (!entry) {
      return false;
    }
    this.#late(id, entry, this.#lagAll ? this.#lagMs : 0, () => {
      entry.client = presence;
    });

    return true;
  }

  /** A call of the user begins (+1) or ends (−1) at Teams. */
  countCall(id: string, change: 1 | -1): void {
    const entry = this.#entries.get(id.toLowerCase());
    if (!entry) {
      return;
    }
    entry.calls += change;
    const calls = entry.calls;
    this.#late(id, entry, this.#lagMs, () => {
      entry.shownCalls = calls;
    });
  }

  #late(id: string, entry: Entry, lagMs: number, change: () => void): void {
    if (lagMs === 0) {
      change();
      this.#look(id, entry);

      return;
    }
    const timer = this.#clock.setTimeout(() => {
      entry.lagTimers.delete(timer);
      change();
      this.#look(id, entry);
    }, lagMs);
    entry.lagTimers.add(timer);
  }

  setApplication(id: string, application: string, presence: Presence, durationMs: number): void {
    const now = this.#clock.now();
    const entry = this.#entries.get(id.toLowerCase());
    if (entry) {
      entry.applications.set(application, { ...presence, since: now, expiresAt: now + durationMs });
      this.#look(id, entry);
    }
  }

  /** The session of an application, for those who look from outside. */
  sessionOf(id: string, application: string): (Presence & { readonly expiresAt: number }) | undefined {
    const session = this.#entries.get(id.toLowerCase())?.applications.get(application);
    return session && session.expiresAt > this.#clock.now()
      ? { ...pair(session), expiresAt: session.expiresAt }
      : undefined;
  }

  /** Ends an application's session; false when it had none. */
  clearApplication(id: string, application: string): boolean {
    const entry = this.#entries.get(id.toLowerCase());
    const had = entry?.applications.delete(application) ?? false;
    if (entry) {
      this.#look(id, entry);
    }

    return had;
  }

  setPreferred(id: string, presence: Presence, durationMs: number): void {
    const entry = this.#entries.get(id.toLowerCase());
    const now = this.#clock.now();
    if (entry) {
      entry.preferred = { ...presence, since: now, expiresAt: now + durationMs };
      this.#look(id, entry);
    }
  }

  clearPreferred(id: string): void {
    const entry = this.#entries.get(id.toLowerCase());
    if (entry) {
      entry.preferred = undefined;
      this.#look(id, entry);
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

function numbered(sequence: number): string {
  return String(sequence).padStart(20, '0');
}

function pair({ availability, activity }: Presence): Presence {
  return { availability, activity };
}
