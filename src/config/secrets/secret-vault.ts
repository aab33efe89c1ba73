import { openWith, secretPlace } from './secret-box';
import type { SecretKey } from './secret-box';
import type { Log } from '../../lib/log';
import type { SealedSecret } from '../../store/types';

export interface SecretVaultDeps {
  /** Reads them as they are kept. */
  readonly load: () => Promise<readonly SealedSecret[]>;
  readonly keys: readonly SecretKey[];
  readonly env: (variable: string) => string | undefined;
  readonly log: Log;
}

/**
 * Finds the passwords that the configuration names: `secret:NAME` in the database (the tenant's own before the one that all share),
 * anything else in the environment. They stay encrypted in memory until one is asked for.
 */
export class SecretVault {
  readonly #deps: SecretVaultDeps;
  #sealed: ReadonlyMap<string, SealedSecret> = new Map();

  constructor(deps: SecretVaultDeps) {
    this.#deps = deps;
  }

  async load(): Promise<void> {
    const rows = await this.#deps.load();
    this.#sealed = new Map(rows.map((row) => [secretPlace(row.tenantId, row.name), row]));
  }

  /** undefined: there is none, or no key opens it (which is logged by name). */
  readonly resolve = (from: string, tenantId?: string): string | undefined => {
    const { env, keys, log } = this.#deps;
    if (!from.startsWith('secret:')) {
      return env(from);
    }
    const name = from.slice('secret:'.length);
    const sealed =
      (tenantId === undefined ? undefined : this.#sealed.get(secretPlace(tenantId, name))) ??
      this.#sealed.get(secretPlace(undefined, name));
    if (sealed === undefined) {
      return undefined;
    }
    const text = openWith(keys, secretPlace(sealed.tenantId, name), sealed);
    if (text === undefined) {
      log.error({ event: 'secret_not_opened', name, keyId: sealed.keyId }, 'no key here opens this secret');
    }
    return text;
  };
}
