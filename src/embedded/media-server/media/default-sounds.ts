/**
 * Music and a greeting made by calculation, for installations that bring no sound files. Nothing is random: two runs give
 * the same samples. Only plain sines below 620 Hz are used, so no harmonic falls on the tones (700, 1100, 1300, 1500, 1700,
 * 1900 Hz) with which tests tell speakers apart.
 */
const RATE = 8000;
const { PI, cos, round, sin, tanh } = Math;

interface Note {
  readonly hz: number;
  readonly startSeconds: number;
  readonly seconds: number;
  readonly level: number;
  /** Time to full level; the rest is a fade to nothing. */
  readonly attackSeconds: number;
  /** Plucked notes fade fast at first, held ones evenly. */
  readonly shape: 'held' | 'plucked';
}

const C3 = 130.81;
const D3 = 146.83;
const F3 = 174.61;
const G3 = 196.0;
const A3 = 220.0;
const B3 = 246.94;
const C4 = 261.63;
const D4 = 293.66;
const F4 = 349.23;
const G4 = 392.0;
const A4 = 440.0;
const B4 = 493.88;
const C5 = 523.25;
const D5 = 587.33;

const BEAT_SECONDS = 0.8;
const BEATS_PER_BAR = 4;

/** Held chord and the figure over it, one bar each. */
const BARS: readonly { readonly chord: readonly number[]; readonly figure: readonly (number | undefined)[] }[] = [
  { chord: [C3, G3, C4], figure: [G4, C5, undefined, G4, undefined, C5, D5, undefined] },
  { chord: [A3, C4, G3], figure: [A4, undefined, C5, A4, G4, undefined, undefined, undefined] },
  { chord: [F3, C4, A3], figure: [F4, A4, undefined, C5, undefined, A4, undefined, undefined] },
  { chord: [G3, D4, B3], figure: [G4, B4, D5, undefined, B4, undefined, G4, undefined] },
  { chord: [C3, G3, D4], figure: [undefined, G4, C5, undefined, D5, C5, undefined, G4] },
  { chord: [D3, A3, F4], figure: [A4, undefined, F4, undefined, D4, F4, A4, undefined] },
  { chord: [F3, A3, D4], figure: [C5, A4, undefined, undefined, F4, undefined, A4, undefined] },
  { chord: [G3, B3, F4], figure: [B4, undefined, G4, undefined, D5, undefined, undefined, undefined] },
];

/** 51.2 seconds: the eight bars, played twice with the figure thinned out the second time. Whole frames of 20 ms. */
export function composeMusic(): Int16Array {
  const notes: Note[] = [];
  const barSeconds = BEAT_SECONDS * BEATS_PER_BAR;
  for (let bar = 0; bar < BARS.length * 2; bar++) {
    const { chord, figure } = BARS[bar % BARS.length] ?? { chord: [], figure: [] };
    const startSeconds = bar * barSeconds;
    for (const hz of chord) {
      notes.push({
        hz,
        startSeconds,
        seconds: barSeconds * 1.5,
        level: 0.07,
        attackSeconds: barSeconds * 0.4,
        shape: 'held',
      });
    }
    figure.forEach((hz, eighth) => {
      if (hz !== undefined && !(bar >= BARS.length && eighth % 3 === 1)) {
        const at = startSeconds + (eighth * BEAT_SECONDS) / 2;
        notes.push({ hz, startSeconds: at, seconds: 1.9, level: 0.09, attackSeconds: 0.02, shape: 'plucked' });
      }
    });
  }
  return render(notes, round(barSeconds * BARS.length * 2 * RATE), true);
}

/** A chime of three notes, 1.8 seconds. */
export function composeGreeting(): Int16Array {
  const strike = (hz: number, startSeconds: number): Note => ({
    hz,
    startSeconds,
    seconds: 1.2,
    level: 0.2,
    attackSeconds: 0.01,
    shape: 'plucked',
  });
  return render([strike(G4, 0.1), strike(B4, 0.35), strike(D5, 0.6)], round(1.8 * RATE), false);
}

/** Adds up the notes. In a loop a note that is longer than what is left goes on at the beginning, so there is no seam. */
function render(notes: readonly Note[], length: number, loop: boolean): Int16Array {
  const sum = new Float64Array(length);
  for (const note of notes) {
    const count = round(note.seconds * RATE);
    const start = round(note.startSeconds * RATE);
    const shape = envelope(note, count);
    // Two strings, slightly apart, make it breathe.
    for (const [hz, level] of [
      [note.hz, note.level],
      [note.hz + 0.7, note.level * 0.6],
    ] as const) {
      addString(sum, hz, level, shape, start, loop);
    }
  }
  const out = new Int16Array(length);
  for (let i = 0; i < length; i++) {
    out[i] = round(tanh(sum[i] ?? 0) * 24_000);
  }
  return out;
}

/** A sine by rotation: two multiplications a sample instead of a call. */
function addString(
  sum: Float64Array,
  hz: number,
  level: number,
  shape: Float64Array,
  start: number,
  loop: boolean,
): void {
  const step = (2 * PI * hz) / RATE;
  const [c, s] = [cos(step), sin(step)];
  let [x, y] = [level, 0];
  let at = start;
  for (const gain of shape) {
    if (at >= sum.length) {
      if (!loop) {
        return;
      }
      at -= sum.length;
    }
    sum[at] = (sum[at] ?? 0) + y * gain;
    at++;
    const turned = x * c - y * s;
    y = x * s + y * c;
    x = turned;
  }
}

const envelopes = new Map<string, Float64Array>();

/** How loud a note is at each of its samples; the same for all notes of one shape and length. */
function envelope({ attackSeconds, shape }: Note, count: number): Float64Array {
  const key = `${shape} ${count} ${attackSeconds}`;
  let gains = envelopes.get(key);
  if (gains === undefined) {
    const attack = attackSeconds * RATE;
    gains = Float64Array.from({ length: count }, (_, i) => {
      const rise = i >= attack ? 1 : 0.5 - 0.5 * cos((PI * i) / attack);
      const left = 1 - i / count;
      return rise * (shape === 'plucked' ? left * left * left : 0.5 - 0.5 * cos(PI * left));
    });
    envelopes.set(key, gains);
  }
  return gains;
}
