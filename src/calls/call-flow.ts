import { startFlow, stepFlow } from '../flows/flow-state';
import type { FlowEffect, FlowEnd, FlowFacts, FlowInput, FlowProgress, FlowState } from '../flows/flow-state';
import type { CallTraits } from '../flows/flow';
import type { CallContext } from './call-context';
import type { ExitDestination } from './call-state';
import type { CallSound } from './call-sound';
import type { Destinations } from './destinations';

/** What the caller hears before waiting, or on the way out: runs the flow machine on the caller's leg. */
export class CallFlow {
  readonly #context: CallContext;
  readonly #sound: CallSound;
  readonly #destinations: Destinations;
  readonly #onTraits: (traits: CallTraits) => void;
  readonly #facts: FlowFacts;
  #state: FlowState | undefined;
  /** Counts runs, so that a prompt that ends late is not taken for one of the next run. */
  #run = 0;

  constructor(
    context: CallContext,
    sound: CallSound,
    destinations: Destinations,
    onTraits: (traits: CallTraits) => void,
  ) {
    this.#context = context;
    this.#sound = sound;
    this.#destinations = destinations;
    this.#onTraits = onTraits;
    this.#facts = {
      flow: (name) => context.plan.flow(name),
      isOpen: (hours) => context.plan.isOpen(hours, context.deps.clock.now()),
    };
  }

  /** The SIP status with which the number's flow refuses the call before anything was heard; undefined: it does not. */
  refusal(): number | undefined {
    const { entry } = this.#context.info.route;
    if (entry.kind !== 'flow') {
      return undefined;
    }
    const { state } = startFlow(entry.flow.steps, this.#facts);
    return state.kind === 'done' && state.end.kind === 'hang-up' ? state.end.sip : undefined;
  }

  /** Runs a flow by name, or what the number begins with. Ends in `flow-done`. */
  run(name: string | undefined): void {
    const run = ++this.#run;
    const { greetingUri } = this.#context.info.route;
    if (name !== undefined || greetingUri === undefined) {
      this.#start(run, name);
      return;
    }
    this.#context.event('call:greeting');
    void this.#sound.play(greetingUri).then(() => {
      if (run === this.#run) {
        this.#start(run, name);
      }
    });
  }

  #start(run: number, name: string | undefined): void {
    const { info, plan, event } = this.#context;
    const { entry } = info.route;
    if (name === undefined && entry.kind === 'queue') {
      this.#done({ kind: 'queue', queueId: entry.queueId });
      return;
    }
    const flow = name === undefined ? (entry.kind === 'flow' ? entry.flow : undefined) : plan.flow(name);
    event('flow:started', { flow: flow?.name ?? name });
    this.#advance(run, startFlow(flow?.steps ?? [], this.#facts));
  }

  /** The call goes on without the flow. */
  stop(): void {
    this.#run++;
    this.#state = undefined;
    this.#sound.stop();
  }

  #input(run: number, input: FlowInput): void {
    if (run !== this.#run || !this.#state) {
      return;
    }
    const next = stepFlow(this.#state, input, this.#facts);
    if (next) {
      this.#advance(run, next);
    }
  }

  #advance(run: number, { state, effects }: FlowProgress): void {
    this.#state = state;
    for (const effect of effects) {
      this.#effect(run, effect);
    }
    if (state.kind === 'done') {
      this.#state = undefined;
      this.#done(this.#destinationOf(state.end));
    }
  }

  #effect(run: number, effect: FlowEffect): void {
    const { event } = this.#context;
    switch (effect.kind) {
      case 'play': {
        event('flow:play', { prompt: effect.prompt });
        void this.#play(effect.prompt).then(() => {
          this.#input(run, { kind: 'played' });
        });
        return;
      }
      case 'ask': {
        event('flow:menu', { prompt: effect.prompt });
        const uri = this.#uri(effect.prompt);
        void this.#sound.ask(uri, effect.timeoutMs).then((key) => {
          this.#input(run, { kind: 'key', key });
        });
        return;
      }
      case 'set': {
        this.#onTraits(effect.traits);
        return;
      }
      case 'note': {
        event(effect.event, effect.data);
      }
    }
  }

  async #play(prompt: string): Promise<void> {
    await this.#sound.play(this.#uri(prompt));
  }

  /** A prompt that is not there is silence for a moment: the flow goes on, and the log says so. */
  #uri(prompt: string): string {
    const uri = this.#context.plan.promptUri(prompt);
    if (uri === undefined) {
      this.#context.log.error({ event: 'prompt_missing', prompt });
    }
    return uri ?? 'silence_stream://250';
  }

  #destinationOf(end: FlowEnd): ExitDestination {
    switch (end.kind) {
      case 'enqueue': {
        return this.#destinations.ofQueueNamed(end.queue);
      }
      case 'number': {
        return this.#destinations.ofNumber(end.e164);
      }
      case 'voicemail': {
        return this.#destinations.ofVoicemail(end.queue, 'ended-by-flow');
      }
      case 'callback': {
        return this.#destinations.ofCallback(end.queue, false, this.#destinations.ofQueueNamed(end.queue));
      }
      case 'hang-up': {
        return { kind: 'hang-up', reason: 'ended-by-flow' };
      }
      case 'broken': {
        this.#context.log.error({ event: 'flow_broken', reason: end.why });
        this.#context.event('flow:broken', { why: end.why });
        return { kind: 'hang-up', reason: 'exit-failed' };
      }
    }
  }

  #done(to: ExitDestination): void {
    this.#context.input({ kind: 'flow-done', to });
  }
}
