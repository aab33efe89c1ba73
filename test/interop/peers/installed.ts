import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Programs that interop tests run, and the Debian package that has each. */
const PACKAGES = { sipp: 'sip-tester', baresip: 'baresip' } as const;
export type PeerProgram = keyof typeof PACKAGES;

export interface Installed {
  readonly program: PeerProgram;
  /** Undefined: it is not on the PATH. */
  readonly file: string | undefined;
}

/** Looks for a program on the PATH. */
export function installed(program: PeerProgram, searchPath = process.env['PATH'] ?? ''): Installed {
  const file = searchPath
    .split(path.delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => path.join(folder, program))
    .find(canRun);
  return { program, file };
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // Not there or not ours to run: the next folder may have it.
  }
}

export type PeerMode = { readonly kind: 'run' } | { readonly kind: 'skip' | 'fail'; readonly why: string };

/** What to do with tests that need `peer`: a missing one skips them, and fails them where `required` says it must be there. */
export function peerMode(peer: Installed, required: boolean): PeerMode {
  if (peer.file !== undefined) {
    return { kind: 'run' };
  }
  const why = `${peer.program} is not installed (Debian: apt-get install ${PACKAGES[peer.program]})`;
  return { kind: required ? 'fail' : 'skip', why };
}

/** `describe` where the program is installed; otherwise skipped, or one failing test where SIDEKICK_REQUIRE_PEERS=1. */
export function describeIf(peer: Installed): (name: string, tests: () => void) => void {
  const mode = peerMode(peer, process.env['SIDEKICK_REQUIRE_PEERS'] === '1');
  return (name, tests) => {
    if (mode.kind === 'run') {
      describe(name, tests);
    } else if (mode.kind === 'skip') {
      describe.skip(`${name} (skipped: ${mode.why})`, tests);
    } else {
      describe(name, () => {
        it(`needs ${peer.program}`, () => {
          throw new Error(`${mode.why}, and SIDEKICK_REQUIRE_PEERS=1 asks for it`);
        });
      });
    }
  };
}
