/** Distributions of durations, milliseconds. */
import type { Uniform } from './random';

/** `cv`: coefficient of variation, the standard deviation as a multiple of the mean. */
export type Distribution =
  | { readonly kind: 'constant'; readonly meanMs: number }
  | { readonly kind: 'exponential'; readonly meanMs: number }
  | { readonly kind: 'lognormal'; readonly meanMs: number; readonly cv: number }
  | { readonly kind: 'erlang'; readonly meanMs: number; readonly phases: number }
  | { readonly kind: 'uniform'; readonly fromMs: number; readonly toMs: number }
  /** One of these, each as likely as the others: what was recorded. */
  | { readonly kind: 'recorded'; readonly valuesMs: readonly number[] }
  /** Longer than any run: a caller who never gives up. */
  | { readonly kind: 'never' };

export type Sampler = () => number;

/** A function that draws from the distribution. Every draw takes the same count of numbers from the stream. */
export function sampler(distribution: Distribution, uniform: Uniform): Sampler {
  switch (distribution.kind) {
    case 'constant': {
      const { meanMs } = distribution;
      return () => meanMs;
    }
    case 'exponential': {
      const { meanMs } = distribution;
      return () => -meanMs * Math.log(uniform());
    }
    case 'lognormal': {
      const variance = Math.log(1 + distribution.cv ** 2);
      const mu = Math.log(distribution.meanMs) - variance / 2;
      const sigma = Math.sqrt(variance);
      return () => Math.exp(mu + sigma * normal(uniform));
    }
    case 'erlang': {
      const { phases, meanMs } = distribution;
      return () => {
        let product = 1;
        for (let i = 0; i < phases; i++) {
          product *= uniform();
        }
        return (-meanMs / phases) * Math.log(product);
      };
    }
    case 'uniform': {
      const { fromMs, toMs } = distribution;
      return () => fromMs + (toMs - fromMs) * uniform();
    }
    case 'recorded': {
      const { valuesMs } = distribution;
      return () => valuesMs[Math.floor(uniform() * valuesMs.length)] as number;
    }
    case 'never': {
      return () => Infinity;
    }
  }
}

/** Mean of the distribution, milliseconds. */
export function meanOf(distribution: Distribution): number {
  switch (distribution.kind) {
    case 'uniform': {
      return (distribution.fromMs + distribution.toMs) / 2;
    }
    case 'recorded': {
      return distribution.valuesMs.reduce((sum, value) => sum + value, 0) / distribution.valuesMs.length;
    }
    case 'never': {
      return Infinity;
    }
    default: {
      return distribution.meanMs;
    }
  }
}

/** Standard normal (Box and Muller). */
function normal(uniform: Uniform): number {
  const radius = Math.sqrt(-2 * Math.log(uniform()));
  return radius * Math.cos(2 * Math.PI * uniform());
}
