#!/usr/bin/env node
/* eslint-disable @typescript-eslint/no-require-imports -- a node and embedded servers are loaded by the commands that run them */
import { processIo } from './cli/io';
import type { Runtime } from './cli/ports';
import { runCli } from './cli/run';
import type * as Embed from './embed';
import type * as Node from './node';

/** The `sidekick` command. */
const runtime: Runtime = {
  startNode: (settings, deps) => (require('./node') as typeof Node).startNode(settings, deps),
  startEmbedded: (request) => (require('./embed') as typeof Embed).startEmbedded(request),
};

/** Everything is closed by then; what still holds the process is a fault, and must not hold the user. */
const LINGER_MS = 3000;

const io = processIo();
void runCli(process.argv.slice(2), { io, runtime }).then((exitCode) => {
  process.exitCode = exitCode;
  setTimeout(() => {
    io.stderr.write('sidekick: something was left open; the process is ended\n');
    process.exit(exitCode);
  }, LINGER_MS).unref();
});
