/** A worker that ends its thread in the middle of its work. */
// oxlint-disable-next-line import/no-default-export -- what piscina asks of an entry point
export default function die(): never {
  process.exit(1);
}
