/**
 * Exact answer for a small multi-skill case, the "N" model: calls of kind 1 may go to specialists or to generalists, calls of kind 2
 * to generalists only. Poisson arrivals, exponential handling (one rate), exponential patience. Calls of kind 1 take a specialist if
 * one is free; a free generalist takes a waiting call of kind 1 first. Solved as a Markov chain, by iteration over its states.
 */
export interface NModel {
  readonly specialists: number;
  readonly generalists: number;
  readonly arrivalRate1: number;
  readonly arrivalRate2: number;
  readonly serviceRate: number;
  readonly giveUpRate: number;
}

export interface NModelAnswer {
  readonly abandons1: number;
  readonly abandons2: number;
}

/** State: busy specialists, busy generalists, waiting of kind 1, waiting of kind 2. Who is handled does not matter, the rates are one. */
type State = readonly [number, number, number, number];

const LONGEST_QUEUE = 25;

export function solveNModel(model: NModel): NModelAnswer {
  const states: State[] = [];
  const indexOf = new Map<string, number>();
  const add = (state: State): number => {
    const key = state.join();
    const known = indexOf.get(key);
    if (known !== undefined) {
      return known;
    }
    indexOf.set(key, states.length);
    states.push(state);
    return states.length - 1;
  };
  add([0, 0, 0, 0]);
  const moves: { readonly to: number; readonly rate: number }[][] = [];
  for (let i = 0; i < states.length; i++) {
    moves.push(movesFrom(states[i] as State, model).map(({ to, rate }) => ({ to: add(to), rate })));
  }
  const probability = stationary(moves);
  let waiting1 = 0;
  let waiting2 = 0;
  for (const [i, [, , one, two]] of states.entries()) {
    waiting1 += one * (probability[i] as number);
    waiting2 += two * (probability[i] as number);
  }
  return {
    abandons1: (model.giveUpRate * waiting1) / model.arrivalRate1,
    abandons2: (model.giveUpRate * waiting2) / model.arrivalRate2,
  };
}

function movesFrom([s, g, one, two]: State, m: NModel): { to: State; rate: number }[] {
  const moves: { to: State; rate: number }[] = [];
  const go = (to: State, rate: number): void => {
    if (rate > 0 && to[2] <= LONGEST_QUEUE && to[3] <= LONGEST_QUEUE) {
      moves.push({ to, rate });
    }
  };
  go(
    s < m.specialists ? [s + 1, g, one, two] : g < m.generalists ? [s, g + 1, one, two] : [s, g, one + 1, two],
    m.arrivalRate1,
  );
  go(g < m.generalists ? [s, g + 1, one, two] : [s, g, one, two + 1], m.arrivalRate2);
  go(one > 0 ? [s, g, one - 1, two] : [s - 1, g, one, two], s * m.serviceRate);
  go(one > 0 ? [s, g, one - 1, two] : two > 0 ? [s, g, one, two - 1] : [s, g - 1, one, two], g * m.serviceRate);
  go([s, g, one - 1, two], one * m.giveUpRate);
  go([s, g, one, two - 1], two * m.giveUpRate);
  return moves;
}

/** Gauss and Seidel on the balance equations. */
function stationary(moves: readonly (readonly { readonly to: number; readonly rate: number }[])[]): Float64Array {
  const incoming: { from: number; rate: number }[][] = moves.map(() => []);
  const leaving = new Float64Array(moves.length);
  for (const [from, list] of moves.entries()) {
    for (const { to, rate } of list) {
      (incoming[to] as { from: number; rate: number }[]).push({ from, rate });
      leaving[from] = (leaving[from] as number) + rate;
    }
  }
  const p = new Float64Array(moves.length).fill(1 / moves.length);
  for (let round = 0; round < 3000; round++) {
    let change = 0;
    for (let i = 0; i < p.length; i++) {
      let sum = 0;
      for (const { from, rate } of incoming[i] as { from: number; rate: number }[]) {
        sum += (p[from] as number) * rate;
      }
      const next = sum / (leaving[i] as number);
      change = Math.max(change, Math.abs(next - (p[i] as number)));
      p[i] = next;
    }
    const total = p.reduce((sum, value) => sum + value, 0);
    for (let i = 0; i < p.length; i++) {
      p[i] = (p[i] as number) / total;
    }
    if (change < 1e-13) {
      break;
    }
  }
  return p;
}
