/** What has to be closed in the end, the last opened first. Closing goes on when one of them fails, and then rejects. */
export class Closing {
  #closers: (() => Promise<unknown>)[] = [];

  defer(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  /** Closes everything once; a second call does nothing. */
  async close(): Promise<void> {
    const closers = this.#closers.toReversed();
    this.#closers = [];
    const errors: unknown[] = [];
    for (const close of closers) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'not everything could be closed');
  }
}
