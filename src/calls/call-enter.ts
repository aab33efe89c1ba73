/** Where a call goes on to; part of the machine in call-state.ts. */
import { ended, Q850 } from './call-end';
import type { CallbackDestination, CallEffect, CallStep, Destination, WaitingState } from './call-state';

/** Goes to a destination; `queueId` is where the call waited last. */
export function enter(to: Destination, queueId: string | undefined, before: readonly CallEffect[] = []): CallStep {
  switch (to.kind) {
    case 'queue': {
      return {
        state: waitingIn(to.queueId),
        effects: [...before, { kind: 'start-waiting', queueId: to.queueId }],
      };
    }
    case 'agent': {
      return {
        state: { kind: 'direct', queueId: to.queueId, offerId: to.offerId },
        effects: [...before, { kind: 'park-caller', queueId: to.queueId }, { kind: 'ring-agent', offerId: to.offerId }],
      };
    }
    case 'flow': {
      return {
        state: { kind: 'flow', flow: to.flow, queueId },
        effects: [...before, { kind: 'run-flow', flow: to.flow }],
      };
    }
    case 'announce': {
      return {
        state: { kind: 'closing', reason: to.reason, queueId },
        effects: [...before, { kind: 'announce', uri: to.uri }],
      };
    }
    case 'outside': {
      return {
        state: { kind: 'dialling', legId: to.legId, queueId, agent: undefined },
        effects: [...before, { kind: 'park-caller', queueId }, { kind: 'dial', legId: to.legId, to: to.to }],
      };
    }
    case 'voicemail': {
      return { state: { kind: 'mailbox', to, queueId }, effects: [...before, { kind: 'open-mailbox', to }] };
    }
    case 'callback': {
      return to.askUri === undefined
        ? { state: { kind: 'booking', to, queueId }, effects: [...before, ...booking(to, queueId)] }
        : { state: { kind: 'asking', to, queueId }, effects: [...before, { kind: 'ask-callback', to }] };
    }
    case 'again': {
      return {
        state: waitingIn(to.queueId),
        effects: [...before, { kind: 'resume-waiting', queueId: to.queueId }],
      };
    }
    case 'hang-up': {
      return ended(to.reason, [{ kind: 'hang-up-caller', sip: 480, q850: Q850.normal }, ...before]);
    }
  }
}

/** The caller wants it: that is stored while he hears music. */
export function booking(to: CallbackDestination, queueId: string | undefined): readonly CallEffect[] {
  return [
    { kind: 'park-caller', queueId },
    { kind: 'book-callback', to },
  ];
}

/** A transfer to a queue or an agent is done as soon as the caller is on the way; one to the outside when it is answered. */
export function transferred(to: Destination): readonly CallEffect[] {
  return [{ kind: 'transfer-progress', sip: to.kind === 'outside' ? 100 : 200 }];
}

export function waitingIn(queueId: string): WaitingState {
  return { kind: 'waiting', queueId, offers: [] };
}

export function withdraw(offers: readonly string[], why: 'elsewhere' | 'withdrawn'): readonly CallEffect[] {
  return offers.map((offerId) => ({ kind: 'withdraw-offer', offerId, why }));
}
