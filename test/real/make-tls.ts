/**
 * Writes the certificates for a run of the call stories against real servers into a folder: the SBC's key and certificate and
 * the chain in the form that drachtio reads, from the authority that the stories trust too.
 *
 *   npx tsx test/real/make-tls.ts DIR [NAME ...]
 *
 * DIR then goes into SIDEKICK_REAL_TLS_DIR for start-servers and into SIDEKICK_TEST_TLS_DIR for the stories.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeTestAuthority } from '../../src/embedded/tls/test-authority';

/** For the story of two tenants, each with a name below this one. */
const TENANTS = '*.sbc.example.com';

async function main(directory: string | undefined, names: readonly string[]): Promise<void> {
  if (directory === undefined) {
    throw new Error('name the folder: npx tsx test/real/make-tls.ts DIR');
  }
  await mkdir(directory, { recursive: true });
  const authority = await makeTestAuthority({ directory });
  const sbc = await authority.issue(
    names.length > 0 ? names : [process.env['SIDEKICK_SBC_FQDN'] ?? 'sbc1.example.com', TENANTS],
  );
  await writeFile(path.join(directory, 'sbc-key.pem'), sbc.key, { mode: 0o600 });
  await writeFile(path.join(directory, 'sbc-cert.pem'), sbc.leaf);
  await writeFile(path.join(directory, 'chain.pem'), `${sbc.chain.trimEnd()}\n${sbc.ca}`);
}

main(process.argv[2], process.argv.slice(3)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
