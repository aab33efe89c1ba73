/** The stages of a demo call: what each is called in JSON, and what a person reads. */
import type { StoredCallEvent } from '../../store';

export type StageName =
  | 'answered'
  | 'greeting'
  | 'waiting'
  | 'offered'
  | 'offer-ended'
  | 'connected'
  | 'caller-heard-agent'
  | 'agent-heard-caller'
  | 'ended';

export interface Stage {
  readonly stage: StageName;
  /** Since the INVITE went out, milliseconds. */
  readonly ms: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What the node wrote about the call, as stages. Events that are no stage of their own are left out. */
export function stagesOfEvents(events: readonly StoredCallEvent[], startedAt: number): Stage[] {
  const agents = new Map<unknown, unknown>();
  const stages: Stage[] = [];
  for (const { at, kind, data } of events) {
    const add = (stage: StageName, more: Readonly<Record<string, unknown>> = {}): void => {
      stages.push({ stage, ms: Math.max(0, at - startedAt), data: more });
    };
    switch (kind) {
      case 'call:greeting': {
        add('greeting');
        break;
      }
      case 'call:waiting': {
        add('waiting', { queue: data['queue'], position: data['position'] });
        break;
      }
      case 'call:offered': {
        agents.set(data['offerId'], data['agent']);
        add('offered', { agent: data['agent'], presence: data['presence'] ?? null });
        break;
      }
      case 'offer:closed': {
        // An offer that was connected closes with the call; only one that came to nothing is a stage.
        if (data['kind'] !== 'connection-ended') {
          const outcome = data['outcome'] ?? data['why'] ?? data['kind'];
          add('offer-ended', { agent: agents.get(data['offerId']) ?? null, outcome });
        }
        break;
      }
      case 'call:connected': {
        add('connected', { agent: agents.get(data['offerId']) ?? null });
        break;
      }
      case 'call:ended': {
        add('ended', { result: data['result'], reason: data['reason'] });
        break;
      }
      default: {
        break;
      }
    }
  }
  return stages;
}

/** One line for a person, without the time. */
export function stageText({ stage, ms, data }: Stage): string {
  const word = (key: string): string =>
    typeof data[key] === 'string' || typeof data[key] === 'number' ? String(data[key]) : '?';
  switch (stage) {
    case 'answered': {
      return 'answered';
    }
    case 'greeting': {
      return 'greeting';
    }
    case 'waiting': {
      return `waiting as ${ordinal(data['position'])} in ${word('queue')}`;
    }
    case 'offered': {
      return `offered to ${word('agent')}${typeof data['presence'] === 'string' ? ` (${data['presence']})` : ''}`;
    }
    case 'offer-ended': {
      return `${word('agent')} did not take it: ${word('outcome')}`;
    }
    case 'connected': {
      return `connected to ${word('agent')} after ${(ms / 1000).toFixed(1)} s`;
    }
    case 'caller-heard-agent': {
      return `caller heard agent (${word('hz')} Hz)`;
    }
    case 'agent-heard-caller': {
      return `agent heard caller (${word('hz')} Hz)`;
    }
    case 'ended': {
      return `ended: ${word('result')}, ${word('reason')}`;
    }
  }
}

function ordinal(position: unknown): string {
  const n = typeof position === 'number' ? position : 0;
  const tens = n % 100;
  const suffix = tens >= 11 && tens <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return n === 0 ? '?' : `${n}${suffix}`;
}
