/** A worker that fails. */
// oxlint-disable-next-line import/no-default-export -- what piscina asks of an entry point
export default function fail(): never {
  throw new Error('no memory left');
}
