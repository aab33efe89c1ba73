/** What one event socket connection asked to see: event names, custom subclasses and filters (wire reference 5.2). */
import type { EventFormat } from './encode';
import type { PublishedEvent } from './event-hub';

/** Names that `event` accepts. fsmrf asks with a prefix that does not exist on the wire; both spellings count. */
const KNOWN = new Set(
  (
    'ALL CUSTOM CHANNEL_CREATE CHANNEL_DESTROY CHANNEL_STATE CHANNEL_CALLSTATE CHANNEL_ANSWER CHANNEL_HANGUP ' +
    'CHANNEL_HANGUP_COMPLETE CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_BRIDGE ' +
    'CHANNEL_UNBRIDGE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_UNPARK ' +
    'CHANNEL_APPLICATION CHANNEL_ORIGINATE CHANNEL_UUID CALL_UPDATE API LOG HEARTBEAT BACKGROUND_JOB DTMF ' +
    'DETECTED_TONE PLAYBACK_START PLAYBACK_STOP RECORD_START RECORD_STOP MEDIA_BUG_START MEDIA_BUG_STOP MESSAGE ' +
    'SHUTDOWN STARTUP MODULE_LOAD RELOADXML NOTIFY CODEC PRESENCE_IN PRESENCE_OUT SESSION_HEARTBEAT COMMAND ' +
    'RE_SCHEDULE ADD_SCHEDULE DEL_SCHEDULE EXE_SCHEDULE TALK NOTALK CALL_SECURE CALL_DETAIL GENERAL'
  ).split(' '),
);

export class Subscriptions {
  format: EventFormat = 'plain';
  #all = false;
  readonly #names = new Set<string>();
  readonly #subclasses = new Set<string>();
  #filters: { readonly header: string; readonly value: string }[] = [];

  /** `event json A B CUSTOM sub::class`: returns false if no known name was among the words. */
  add(words: readonly string[]): boolean {
    let custom = false;
    let known = 0;
    for (const word of words) {
      const name = word.toUpperCase().replace(/^SWITCH_EVENT_/, '');
      if (name === 'CUSTOM') {
        custom = true;
        known++;
      } else if (custom && !KNOWN.has(name)) {
        this.#subclasses.add(word);
        known++;
      } else if (KNOWN.has(name)) {
        this.#all ||= name === 'ALL';
        this.#names.add(name);
        known++;
      }
    }
    return known > 0;
  }

  remove(words: readonly string[]): void {
    for (const word of words) {
      const name = word.toUpperCase().replace(/^SWITCH_EVENT_/, '');
      this.#names.delete(name);
      this.#subclasses.delete(word);
      this.#all &&= name !== 'ALL';
    }
  }

  clear(): void {
    this.#all = false;
    this.#names.clear();
    this.#subclasses.clear();
  }

  addFilter(header: string, value: string): void {
    this.#filters.push({ header, value });
  }

  /** Removes one filter, or all of a header when no value is given. */
  removeFilter(header: string, value?: string): void {
    this.#filters = this.#filters.filter((f) => f.header !== header || (value !== undefined && f.value !== value));
  }

  wants(name: string, subclass: string | undefined, uuid: string | undefined): boolean {
    return (
      (this.#all || (subclass === undefined ? this.#names.has(name) : this.#subclasses.has(subclass))) &&
      !this.#isForOthers(uuid)
    );
  }

  /** Filters for other channels only: what the event holds need not be looked at. */
  #isForOthers(uuid: string | undefined): boolean {
    return (
      uuid !== undefined &&
      this.#filters.length > 0 &&
      this.#filters.every((filter) => filter.header === 'Unique-ID' && filter.value !== uuid)
    );
  }

  /** Filters are alternatives: without any, everything passes. */
  passes(event: PublishedEvent): boolean {
    return this.#filters.length === 0 || this.#filters.some((f) => event.headers[f.header] === f.value);
  }
}
