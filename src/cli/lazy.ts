/**
 * The commands' modules, each loaded when its command runs: `sidekick --help` must not wait for a SIP stack. `require` stands
 * here because `import()` of a relative path would have to name the compiled file.
 */
/* eslint-disable @typescript-eslint/no-require-imports */
import type * as Agents from './commands/agents';
import type * as Calls from './commands/calls';
import type * as Config from './commands/config';
import type * as DemoCall from './commands/demo-call';
import type * as Demo from './commands/demo';
import type * as Migrate from './commands/migrate';
import type * as Queues from './commands/queues';
import type * as Serve from './commands/serve';
import type * as Status from './commands/status';
import type * as Version from './commands/version';

export const agents = (): typeof Agents => require('./commands/agents') as typeof Agents;
export const calls = (): typeof Calls => require('./commands/calls') as typeof Calls;
export const config = (): typeof Config => require('./commands/config') as typeof Config;
export const demo = (): typeof Demo => require('./commands/demo') as typeof Demo;
export const demoCall = (): typeof DemoCall => require('./commands/demo-call') as typeof DemoCall;
export const migrate = (): typeof Migrate => require('./commands/migrate') as typeof Migrate;
export const queues = (): typeof Queues => require('./commands/queues') as typeof Queues;
export const serve = (): typeof Serve => require('./commands/serve') as typeof Serve;
export const status = (): typeof Status => require('./commands/status') as typeof Status;
export const version = (): typeof Version => require('./commands/version') as typeof Version;

export type { Agents, Calls, Config, Demo, DemoCall, Migrate, Queues, Serve, Status, Version };
