declare module 'minhash' {
  /** The part of the package that serves as oracle and peer. */
  export class Minhash {
    constructor(config?: { numPerm?: number; seed?: number });
    hashvalues: number[];
    update(element: string): void;
    jaccard(other: Minhash): number;
  }
}
