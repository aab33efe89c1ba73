import type { Finding } from './findings';
import { actionsOf, stepsOf } from './names';
import type { Document } from './schema';
import { tenantOf } from './tenant-of';
import type { Path } from './yaml-source';

/** A way that a call takes by itself, without its caller choosing it. */
interface Way {
  readonly to: string;
  readonly path: Path;
}

const queueKey = (tenant: string, name: string): string => `${tenant}/queue "${name}"`;
const flowKey = (tenant: string, name: string): string => `${tenant}/flow "${name}"`;
const shown = (key: string): string => key.slice(key.indexOf('/') + 1);

/**
 * Ways on which a call could go round for ever: queues and flows that send it on to each other. What a caller chooses, by a key
 * while waiting or in a menu, is no loop: he may choose otherwise.
 */
export function overflowLoops(document: Document): readonly Finding[] {
  const ways = waysOf(document);
  const done = new Set<string>();
  const findings: Finding[] = [];
  for (const start of ways.keys()) {
    walk(start, ways, done, [], findings);
  }
  return findings;
}

function waysOf(document: Document): ReadonlyMap<string, readonly Way[]> {
  const ways = new Map<string, Way[]>();
  for (const [i, queue] of document.queues.entries()) {
    const tenant = tenantOf(document, queue) ?? '';
    const exits = actionsOf(queue, ['queues', i]).filter(({ reason }) => reason !== 'keys');
    const out = exits.flatMap(({ action, path }) => {
      if ('queues' in action) {
        return action.queues.map((name, j) => ({ to: queueKey(tenant, name), path: [...path, 'queues', j] }));
      }
      return 'flow' in action ? [{ to: flowKey(tenant, action.flow), path: [...path, 'flow'] }] : [];
    });
    ways.set(queueKey(tenant, queue.name), out);
  }
  for (const [i, flow] of document.flows.entries()) {
    const tenant = tenantOf(document, flow) ?? '';
    const steps = stepsOf(flow.steps, ['flows', i, 'steps']).filter(({ chosen }) => !chosen);
    const out = steps.flatMap(({ step, path }) => {
      if ('enqueue' in step) {
        return [{ to: queueKey(tenant, step.enqueue), path: [...path, 'enqueue'] }];
      }
      if ('callback' in step) {
        // Who cannot be called back waits there.
        return [{ to: queueKey(tenant, step.callback), path: [...path, 'callback'] }];
      }
      return 'flow' in step ? [{ to: flowKey(tenant, step.flow), path: [...path, 'flow'] }] : [];
    });
    ways.set(flowKey(tenant, flow.name), out);
  }
  return ways;
}

/** Depth first; a way back into the current trail closes a loop, which is told where it closes. */
function walk(
  at: string,
  ways: ReadonlyMap<string, readonly Way[]>,
  done: Set<string>,
  trail: readonly string[],
  findings: Finding[],
): void {
  if (done.has(at)) {
    return;
  }
  const here = [...trail, at];
  for (const { to, path } of ways.get(at) ?? []) {
    const back = here.indexOf(to);
    if (back >= 0) {
      const round = [...here.slice(back), to].map(shown).join(' → ');
      findings.push({
        path,
        what: to === at ? `${shown(to)} sends calls to itself` : `calls would go round for ever: ${round}`,
        hint: 'let one of them end in an announcement, a number, voicemail, callback or hangUp',
      });
    } else {
      walk(to, ways, done, here, findings);
    }
  }
  done.add(at);
}
