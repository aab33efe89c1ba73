import { documentSchema, type Document, type DocumentInput } from './documents/schema';

export interface DemoAgent {
  readonly name: string;
  /** Default: the name. */
  readonly displayName?: string;
  /** E.164. */
  readonly number: string;
  readonly entraUserId: string;
}

export interface DemoOptions {
  /** Name that the simulated tenant knows our SBC by. */
  readonly sbcName: string;
  /** host:port of the simulated Direct Routing proxy. */
  readonly teamsProxyAddress: string;
  /** Users of the simulated tenant. Default: `demoAgents()`. */
  readonly agents?: readonly DemoAgent[];
  /** What callers hear first. Default: two short tones. */
  readonly greeting?: { readonly file: string } | { readonly tone: string };
  /** Default: the stream `moh` of the media server. */
  readonly music?: { readonly file: string } | { readonly tone: string } | { readonly stream: string };
  /** Where callers may come from. Default: this machine. */
  readonly carrierSources?: readonly string[];
  readonly ringTimeoutSeconds?: number;
  readonly wrapUpSeconds?: number;
}

/** The five agents of the demo, with the numbers and ids of the simulated tenant's users. */
export function demoAgents(): readonly DemoAgent[] {
  return ['Anna', 'Ben', 'Clara', 'David', 'Emma'].map((name, i) => ({
    name,
    number: `+4930100020${i + 1}`,
    entraUserId: `00000000-0000-4000-8000-00000000020${i + 1}`,
  }));
}

/** The contact center of `sidekick demo`: two numbers, two queues, five Teams agents. */
export function demoDocument(options: DemoOptions): Document {
  const agents = options.agents ?? demoAgents();
  const queue = {
    ringTimeoutSeconds: options.ringTimeoutSeconds ?? 15,
    wrapUpSeconds: options.wrapUpSeconds ?? 3,
    music: 'music',
    members: agents.map(({ name }) => ({ agent: name })),
  };
  const document: DocumentInput = {
    apiVersion: 'sidekick/v1',
    tenants: [{ name: 'demo', country: 'DE', timeZone: 'Europe/Berlin' }],
    trunks: [
      { name: 'carrier', kind: 'carrier', sources: [...(options.carrierSources ?? ['127.0.0.0/8'])], country: 'DE' },
      {
        name: 'teams',
        kind: 'teams',
        sbcName: options.sbcName,
        proxies: [{ host: 'sip.pstnhub.microsoft.com', port: 5061, address: options.teamsProxyAddress }],
      },
    ],
    prompts: [
      { name: 'greeting', ...(options.greeting ?? { tone: '%(250,50,660);%(400,200,880)' }) },
      { name: 'music', ...(options.music ?? { stream: 'moh' }) },
    ],
    queues: [
      { name: 'support', ...queue },
      { name: 'sales', ...queue },
    ],
    agents: agents.map(({ name, displayName, number, entraUserId }) => ({
      name,
      ...(displayName === undefined ? {} : { displayName }),
      signedIn: true,
      endpoints: [{ kind: 'teams', trunk: 'teams', number, entraUserId }],
    })),
    numbers: [
      { number: '+49301000100', queue: 'support', greeting: 'greeting' },
      { number: '+49301000101', queue: 'sales', greeting: 'greeting' },
    ],
  };
  return documentSchema.parse(document);
}
