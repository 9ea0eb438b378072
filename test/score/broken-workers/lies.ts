/** A worker that answers with something else than results. */
// oxlint-disable-next-line import/no-default-export -- what piscina asks of an entry point
export default function lie(): Float64Array {
  return new Float64Array(1);
}
