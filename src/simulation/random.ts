/**
 * Random numbers that a run can be repeated with. Each use has a stream of its own, so that two configurations meet the same
 * callers: the third caller of a queue has the same patience and the same business in both (common random numbers).
 */

/** A stream of numbers between 0 (excluded) and 1 (excluded). */
export type Uniform = () => number;

/** A stream by seed and name: the generator sfc32 (C. Doty-Humphrey), whose state is filled by hashing seed and name. */
export function uniformStream(seed: number, name: string): Uniform {
  let a = hash(seed, `${name} a`);
  let b = hash(seed, `${name} b`);
  let c = hash(seed, `${name} c`);
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return ((sum >>> 0) + 0.5) / 0x1_0000_0000;
  };
  for (let i = 0; i < 12; i++) {
    next();
  }
  return next;
}

/** 32 bits of a seed and a text (FNV-1a, then the finaliser of MurmurHash3). */
export function hash(seed: number, text: string): number {
  let h = (0x811c9dc5 ^ seed) | 0;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}
