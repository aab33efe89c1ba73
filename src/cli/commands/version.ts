import type { Context } from '../context';
import { line } from '../io';
import { packageVersion } from '../../lib/package';
import { printJson } from '../output/json';

export function printVersion({ io }: Context, json: boolean): number {
  const version = packageVersion();
  if (json) {
    printJson(io, { version, node: process.version });
  } else {
    line(io.stdout, `sidekick ${version} (Node ${process.version})`);
  }
  return 0;
}
