/** A worker that never answers, without using a processor. */
// oxlint-disable-next-line import/no-default-export -- what piscina asks of an entry point
export default function hang(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
