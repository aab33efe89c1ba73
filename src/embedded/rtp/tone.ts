/** Tones: made to prove who speaks, and found again to prove who hears. */
export const SAMPLE_RATE = 8000;
const { PI, ceil, cos, max, min, round, sin } = Math;

/** Adds up sines; goes on without a click from one call to the next. */
export class ToneGenerator {
  readonly #steps: Float64Array;
  readonly #phases: Float64Array;
  readonly #amplitude: number;

  /**
   * @param frequencies in Hz, below 4,000
   * @param level peak of the sum, 0–1 of full scale
   */
  constructor(frequencies: readonly number[], level = 0.25) {
    this.#steps = Float64Array.from(frequencies, (f) => (2 * PI * f) / SAMPLE_RATE);
    this.#phases = new Float64Array(frequencies.length);
    this.#amplitude = frequencies.length === 0 ? 0 : (min(1, max(0, level)) * 32767) / frequencies.length;
  }

  /** Fills `out` with the next samples and returns it. */
  fill(out: Int16Array): Int16Array {
    const steps = this.#steps;
    const phases = this.#phases;
    for (let i = 0; i < out.length; i++) {
      let sum = 0;
      for (let t = 0; t < steps.length; t++) {
        const phase = phases[t] ?? 0;
        sum += sin(phase);
        phases[t] = phase + (steps[t] ?? 0);
      }
      out[i] = round(sum * this.#amplitude);
    }
    for (let t = 0; t < phases.length; t++) {
      phases[t] = (phases[t] ?? 0) % (2 * PI);
    }
    return out;
  }

  next(samples: number): Int16Array {
    return this.fill(new Int16Array(samples));
  }
}

const HOP = 160;
const WINDOW = 320;
const HOP_MS = 20;

export interface ToneDetectorOptions {
  /** Part of the window's energy that a candidate must hold. 0.35 finds two tones at once and refuses music. */
  readonly share?: number;
  /** Quieter windows hold no tone: root mean square in sample units. −45 dBFS by default. */
  readonly minRms?: number;
  /** A tone counts only from this many milliseconds in a row on; what came before then counts too. */
  readonly minMs?: number;
}

export interface ToneReport {
  readonly frequency: number;
  /** How long it was heard in all. */
  readonly ms: number;
  /** Position in the stream at which it was first heard, milliseconds from the first sample. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

interface Candidate {
  readonly frequency: number;
  readonly coefficient: number;
  run: number;
  ms: number;
  firstAtMs: number;
  lastAtMs: number;
}

/**
 * Looks for known tones with Goertzel's algorithm, in windows of 40 ms every 20 ms. A candidate is present if it holds a
 * large share of the window's whole energy for some windows in a row, so music and speech are not taken for a tone.
 */
export class ToneDetector {
  readonly #candidates: readonly Candidate[];
  readonly #share: number;
  readonly #minEnergy: number;
  readonly #minRun: number;
  readonly #window = new Float64Array(WINDOW);
  #filled = 0;
  #hops = 0;

  /** @param frequencies candidates in Hz, at least 50 Hz apart */
  constructor(frequencies: readonly number[], options: ToneDetectorOptions = {}) {
    this.#candidates = frequencies.map((frequency) => ({
      frequency,
      coefficient: 2 * cos((2 * PI * frequency) / SAMPLE_RATE),
      run: 0,
      ms: 0,
      firstAtMs: -1,
      lastAtMs: -1,
    }));
    this.#share = options.share ?? 0.35;
    this.#minEnergy = (options.minRms ?? 184) ** 2 * WINDOW;
    this.#minRun = max(1, ceil((options.minMs ?? 60) / HOP_MS));
  }

  /** Takes the next samples of the stream, any number of them. */
  push(pcm: Int16Array): void {
    for (const sample of pcm) {
      this.#window[this.#filled++] = sample;
      if (this.#filled === WINDOW) {
        this.#examine();
        this.#window.copyWithin(0, HOP);
        this.#filled = WINDOW - HOP;
      }
    }
  }

  /** The candidates that are present right now. */
  get current(): number[] {
    return this.#candidates.filter((c) => c.run >= this.#minRun).map((c) => c.frequency);
  }

  /** Milliseconds for which the candidate was heard since the start or the last `reset`. */
  heardMs(frequency: number): number {
    return this.#candidates.find((c) => c.frequency === frequency)?.ms ?? 0;
  }

  /** Each candidate that was heard, longest first. */
  report(): ToneReport[] {
    return this.#candidates
      .filter((c) => c.ms > 0)
      .map(({ frequency, ms, firstAtMs, lastAtMs }) => ({ frequency, ms, firstAtMs, lastAtMs }))
      .sort((a, b) => b.ms - a.ms);
  }

  /** Forgets what was heard; the position in the stream starts at 0 again. */
  reset(): void {
    this.#filled = 0;
    this.#hops = 0;
    for (const c of this.#candidates) {
      Object.assign(c, { run: 0, ms: 0, firstAtMs: -1, lastAtMs: -1 });
    }
  }

  #examine(): void {
    const startMs = this.#hops++ * HOP_MS;
    let energy = 0;
    for (const x of this.#window) {
      energy += x * x;
    }
    for (const c of this.#candidates) {
      if (energy < this.#minEnergy || this.#shareOf(c, energy) < this.#share) {
        c.run = 0;
        continue;
      }
      c.run++;
      if (c.run === this.#minRun) {
        c.ms += HOP_MS * c.run;
        c.firstAtMs = c.firstAtMs < 0 ? startMs - HOP_MS * (c.run - 1) : c.firstAtMs;
      } else if (c.run > this.#minRun) {
        c.ms += HOP_MS;
      }
      if (c.run >= this.#minRun) {
        c.lastAtMs = startMs + WINDOW / 8;
      }
    }
  }

  #shareOf(c: Candidate, energy: number): number {
    let s1 = 0;
    let s2 = 0;
    for (const x of this.#window) {
      const s0 = x + c.coefficient * s1 - s2;
      s2 = s1;
      s1 = s0;
    }
    const power = s1 * s1 + s2 * s2 - c.coefficient * s1 * s2;
    return (2 * power) / (WINDOW * energy);
  }
}
