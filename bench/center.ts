import type { Document } from '../src/config/documents/schema';
import { documentSchema } from '../src/config/documents/schema';

/** Agents of a PBX; a tenth as many queues, each with ten members, and a number for each queue. */
export function center(agents: number): Document {
  const names = Array.from({ length: agents }, (_, i) => `agent-${i + 1}`);
  const queues = Array.from({ length: agents / 10 }, (_, i) => `queue-${i + 1}`);
  return documentSchema.parse({
    apiVersion: 'sidekick/v1',
    tenants: [{ name: 'bench', country: 'DE', timeZone: 'Europe/Berlin' }],
    trunks: [{ name: 'pbx', kind: 'pbx', host: '127.0.0.1' }],
    prompts: [{ name: 'hello', tone: '%(250,50,660)' }],
    queues: queues.map((name, i) => ({
      name,
      music: 'hello',
      needs: [{ skill: 'german', atLeast: 3 }],
      maxWaiting: 50,
      exits: i === 0 ? {} : { full: { queues: ['queue-1'] } },
      members: Array.from({ length: 10 }, (_unused, k) => ({
        agent: names[(i * 10 + k) % agents],
        level: 1 + (k % 2),
      })),
    })),
    agents: names.map((name, i) => ({
      name,
      skills: { german: 1 + (i % 10) },
      endpoints: [{ kind: 'pbx', trunk: 'pbx', user: String(10_000 + i) }],
    })),
    numbers: queues.map((queue, i) => ({ number: `+4930${String(1_000_000 + i)}`, queue, greeting: 'hello' })),
  });
}
