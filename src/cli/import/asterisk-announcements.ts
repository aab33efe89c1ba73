/** What app_queue tells callers who wait: the place, in spoken numbers, and recordings now and then. */
import type { QueueInput } from './draft';
import { bounded, type Draft } from './draft';

const yes = (value: string | undefined): boolean => /^(yes|true|on|1|limit|more)$/i.test(value ?? '');

/**
 * The recordings are taken over. Numbers are not spoken here, so of the place only "you are next" is, which Asterisk has as a
 * recording of its own.
 */
export function announcementsOf(
  draft: Draft,
  where: string,
  options: ReadonlyMap<string, string>,
): Pick<QueueInput, 'announcements'> {
  const place = every(draft, where, options, 'announce-frequency');
  const periodic = every(draft, where, options, 'periodic-announce-frequency');
  const recordings = (options.get('periodic-announce') ?? '').split(',').map((file) => file.trim());
  const comfort = periodic === undefined ? undefined : recordings.find((file) => file !== '');
  const next = place !== undefined && yes(options.get('announce-position') ?? 'yes');
  const rules = [
    ...(next
      ? [
          {
            prompt: recording(draft, where, options.get('queue-youarenext') ?? 'queue-youarenext'),
            place: { to: 1 },
            ...(yes(options.get('announce-position-only-up')) ? { onlyIfBetter: true } : {}),
          },
        ]
      : []),
    ...(comfort === undefined ? [] : [{ prompt: recording(draft, where, comfort) }]),
  ];
  if (rules.length === 0) {
    return {};
  }
  if (next) {
    draft.note(
      `${where} announce-position`,
      'no numbers are spoken; add a recording and a rule for each other place that callers should hear',
    );
  }
  if (recordings.length > 1 && comfort !== undefined) {
    draft.note(
      `${where} periodic-announce`,
      `only ${comfort} is taken over; callers hear one recording, not several in turn`,
    );
  }
  const everySeconds = (next ? place : undefined) ?? periodic ?? 60;
  if (next && comfort !== undefined && periodic !== place) {
    draft.note(
      `${where} periodic-announce-frequency`,
      `there is one clock for all announcements: every ${everySeconds} s`,
    );
  }
  const delay = options.get('periodic-announce-startdelay');
  const firstAfterSeconds =
    next || delay === undefined
      ? everySeconds
      : (bounded(draft, `${where} periodic-announce-startdelay`, delay, [0, 3600]) ?? everySeconds);
  return { announcements: { firstAfterSeconds, everySeconds, rules } };
}

/** Undefined: never. */
function every(
  draft: Draft,
  where: string,
  options: ReadonlyMap<string, string>,
  key: 'announce-frequency' | 'periodic-announce-frequency',
): number | undefined {
  const text = options.get(key) ?? '0';
  return Number(text) === 0 ? undefined : bounded(draft, `${where} ${key}`, text, [10, 3600]);
}

function recording(draft: Draft, where: string, file: string): string {
  draft.note(
    `${where} ${file}`,
    'is a recording of Asterisk: copy it to where the media server can read it, and give the prompt that path',
  );
  return draft.prompt(file, { file });
}
