import { Ticker, onTick, tickerRunning } from '../../../src/embedded/rtp/clock';
import type { TickTime } from '../../../src/embedded/rtp/clock';

/** Time that moves only when told; `stall` lets it pass without timers. */
class FakeTime implements TickTime {
  #now = 0.3;
  #timer: { at: number; fn: () => void } | undefined;

  now(): number {
    return this.#now;
  }

  setTimeout(fn: () => void, ms: number): () => void {
    const timer = { at: this.#now + ms, fn };
    this.#timer = timer;
    return () => {
      if (this.#timer === timer) {
        this.#timer = undefined;
      }
    };
  }

  stall(ms: number): void {
    this.#now += ms;
  }

  /** Each timer comes `lateBy` milliseconds late. */
  run(ms: number, lateBy = 0): void {
    const end = this.#now + ms;
    while (this.#timer !== undefined && this.#timer.at + lateBy <= end) {
      const { at, fn } = this.#timer;
      this.#timer = undefined;
      this.#now = Math.max(this.#now, at + lateBy);
      fn();
    }
    this.#now = Math.max(this.#now, end);
  }

  get armed(): boolean {
    return this.#timer !== undefined;
  }
}

describe('the shared beat', () => {
  test('timers that are always late do not make it slow', () => {
    const time = new FakeTime();
    const ticker = new Ticker(time);
    let beats = 0;
    ticker.onTick(() => beats++);
    time.run(10_000, 3);
    expect(beats).toBeGreaterThanOrEqual(499);
    expect(beats).toBeLessThanOrEqual(500);
    expect(ticker.stats().late).toBe(0);
  });

  test('a stall is made up for in quick beats, never two at once', () => {
    const time = new FakeTime();
    const ticker = new Ticker(time);
    const at: number[] = [];
    ticker.onTick(() => at.push(time.now()));
    time.run(100);
    time.stall(200);
    time.run(300);
    expect(at.length).toBe(30);
    const gaps = at.slice(1).map((t, i) => t - at[i]!);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(5);
    expect(ticker.stats().late).toBeGreaterThan(0);
    expect(ticker.stats().skipped).toBe(0);
  });

  test('a stall of seconds is given up and counted', () => {
    const time = new FakeTime();
    const ticker = new Ticker(time);
    let beats = 0;
    ticker.onTick(() => beats++);
    time.run(100);
    time.stall(5000);
    time.run(1000);
    expect(ticker.stats().skipped).toBeGreaterThanOrEqual(248);
    expect(beats).toBeLessThan(60);
  });

  test('it starts with the first listener and stops with the last', () => {
    const time = new FakeTime();
    const ticker = new Ticker(time);
    expect(ticker.running).toBe(false);
    const stops = [ticker.onTick(() => undefined), ticker.onTick(() => undefined)];
    stops[0]!();
    stops[0]!();
    expect(ticker.running).toBe(true);
    stops[1]!();
    expect(ticker.running).toBe(false);
    expect(time.armed).toBe(false);
  });

  test('a listener may stop itself and others while the beat runs', () => {
    const time = new FakeTime();
    const ticker = new Ticker(time);
    const stop = ticker.onTick(() => {
      stop();
    });
    time.run(100);
    expect(ticker.running).toBe(false);
    expect(ticker.stats().ticks).toBe(1);
  });

  test('a listener that throws is counted and does not stop the others', () => {
    const time = new FakeTime();
    const ticker = new Ticker(time);
    let beats = 0;
    ticker.onTick(() => {
      throw new Error('broken');
    });
    ticker.onTick(() => beats++);
    time.run(100);
    expect(beats).toBe(5);
    expect(ticker.stats()).toMatchObject({ errors: 5, lastError: expect.objectContaining({ message: 'broken' }) });
  });

  test('the one of the process beats in real time and leaves no timer behind', async () => {
    let beats = 0;
    await new Promise<void>((resolve) => {
      const stop = onTick(() => {
        if (++beats === 3) {
          stop();
          resolve();
        }
      });
    });
    expect(tickerRunning()).toBe(false);
  });
});
