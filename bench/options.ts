/** What the command line of the benchmark may say. */
export const SECTIONS = ['latency', 'next', 'rate', 'capacity', 'soak'] as const;
export type SectionName = (typeof SECTIONS)[number];

/** Names of figures people ask for, and the section that measures them. */
const ALIASES: Readonly<Record<string, SectionName>> = {
  hangup: 'latency',
  audio: 'latency',
  delay: 'latency',
  cpu: 'rate',
  memory: 'soak',
};

export interface BenchOptions {
  readonly sections: readonly SectionName[];
  readonly quick: boolean;
  readonly json: boolean;
  /** Scheduling priority of the processes under test, -20 (highest) to 19; undefined: as usual. */
  readonly priority: number | undefined;
  /** Directory for CPU profiles of the node and the embedded servers; undefined: none. */
  readonly cpuProfile: string | undefined;
  /** Steps of the rate, calls per second; undefined: the section's own. */
  readonly rates: readonly number[] | undefined;
  /** Calls with audio at once; undefined: the section's own. */
  readonly loads: readonly number[] | undefined;
}

export const USAGE = `Measures calls through a whole Sidekick: SIP server, media server, Postgres and node, each a process of its own.

  npm run bench:call -- [options]

  --only a,b        sections: ${SECTIONS.join(', ')} (also: ${Object.keys(ALIASES).join(', ')})
  --soak            adds the section soak: memory over 2,000 calls
  --quick           fewer calls and steps, within a minute
  --rates 10,20     steps of the section rate, calls per second
  --loads 10,25     steps of the section capacity, calls with audio at once
  --json            one JSON document instead of tables
  --priority N      on a machine that others use too: priority of all processes of the run, -20 to 19 (Linux, root)
  --cpu-prof DIR    writes a CPU profile of each of our processes into DIR

Real servers instead of the embedded ones: SIDEKICK_TEST_DRACHTIO and SIDEKICK_TEST_FREESWITCH (host:port:secret) and
SIDEKICK_TEST_TLS_DIR, as for \`npm run test:real\`. See docs/benchmarks.md.
`;

/** @throws Error that names the option that is wrong and what it may be */
export function parseOptions(args: readonly string[]): BenchOptions | 'help' {
  const queue = [...args];
  let only: SectionName[] | undefined;
  const flags = { quick: false, json: false, soak: false };
  let cpuProfile: string | undefined;
  let priority: number | undefined;
  const steps: { rates?: number[]; loads?: number[] } = {};
  const valueOf = (name: string): string => {
    const value = queue.shift();
    if (value === undefined || value.startsWith('--')) {
      throw new Error(`${name} needs a value; see --help`);
    }
    return value;
  };
  for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
    switch (arg) {
      case '--help':
      case '-h': {
        return 'help';
      }
      case '--quick':
      case '--json':
      case '--soak': {
        flags[arg.slice(2) as keyof typeof flags] = true;
        break;
      }
      case '--only': {
        only = valueOf(arg).split(',').map(sectionOf);
        break;
      }
      case '--priority': {
        priority = priorityOf(queue.shift());
        break;
      }
      case '--cpu-prof': {
        cpuProfile = valueOf(arg);
        break;
      }
      case '--rates':
      case '--loads': {
        steps[arg === '--rates' ? 'rates' : 'loads'] = valueOf(arg)
          .split(',')
          .map((text) => stepOf(arg, text));
        break;
      }
      default: {
        throw new Error(`unknown option ${arg}; see --help`);
      }
    }
  }
  const wanted = new Set<SectionName>(only ?? SECTIONS.filter((name) => name !== 'soak'));
  if (flags.soak) {
    wanted.add('soak');
  }
  return {
    sections: SECTIONS.filter((name) => wanted.has(name)),
    quick: flags.quick,
    json: flags.json,
    priority,
    cpuProfile,
    rates: steps.rates,
    loads: steps.loads,
  };
}

function sectionOf(text: string): SectionName {
  const name = SECTIONS.find((section) => section === text) ?? ALIASES[text];
  if (name === undefined) {
    throw new Error(`--only ${text}: there is no such section; there are ${SECTIONS.join(', ')}`);
  }
  return name;
}

function priorityOf(text: string | undefined): number {
  const value = Number(text);
  if (text === undefined || !Number.isInteger(value) || value < -20 || value > 19) {
    throw new Error(`--priority ${text ?? ''}: a whole number between -20 (highest) and 19 is needed`);
  }
  return value;
}

function stepOf(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 2_000)) {
    throw new Error(`${option} ${text}: steps are numbers between 1 and 2,000`);
  }
  return value;
}
