import { EventEmitter } from 'node:events';

/**
 * Typed event emitter. `Events` maps an event name to the tuple of its arguments. A listener that throws never stops the
 * emitter or the other listeners: the error goes to `onListenerError`.
 */
export class Emitter<Events extends { [K in keyof Events]: readonly unknown[] }> {
  readonly #inner = new EventEmitter();
  readonly #onListenerError: (error: unknown, event: string) => void;

  constructor(onListenerError?: (error: unknown, event: string) => void) {
    this.#inner.setMaxListeners(0);
    this.#onListenerError =
      onListenerError ??
      ((error, event) => {
        process.emitWarning(
          `listener of ${event} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
      });
  }

  on<K extends keyof Events & string>(event: K, listener: (...args: Events[K]) => void): () => void {
    this.#inner.on(event, listener);
    return () => {
      this.#inner.off(event, listener);
    };
  }

  once<K extends keyof Events & string>(event: K, listener: (...args: Events[K]) => void): () => void {
    const off = this.on(event, (...args) => {
      off();
      listener(...args);
    });
    return off;
  }

  emit<K extends keyof Events & string>(event: K, ...args: Events[K]): void {
    for (const listener of this.#inner.listeners(event)) {
      try {
        (listener as (...a: unknown[]) => void)(...args);
      } catch (error) {
        this.#onListenerError(error, event);
      }
    }
  }

  removeAllListeners(): void {
    this.#inner.removeAllListeners();
  }
}
