/**
 * A backlog on JetStream, in alerts a second: what a bare consumer reaches that only parses the JSON of the same messages, what one does
 * that decodes and validates them, and what an owner does, which folds them through all stages until it leads (without the time that it takes
 * where there is no backlog: connections, checkpoint, takeover). Then one
 * owner of two partitions against two processes that own one each. 5,000 series that are repeated, each time in another order and with a later
 * end; each is known before.
 *
 *   node bench/jetstream.ts [alerts] [turns]
 */
import { jetstream } from '@nats-io/jetstream';
import { entryCodec } from '../src/app/entry-codec.ts';
import { closeNats, connectNats, natsConnectionConfig } from '../src/nats/index.ts';
import { repeatedRequests } from './fleet/load.ts';
import { ownPartitions } from './fleet/owner.ts';
import { startWatch, type Measured } from './fleet/measured.ts';
import { measureApart, openBenchScene, type BenchScene } from './fleet/scene.ts';

const seriesCount = 5_000;
/** Of the bare consumer. More of up to 1 MiB each would be more than the 64 MiB that a server lets wait before it cuts a client off. */
const readAhead = 40;
const domains = ['a', 'b'] as const;

/** The bodies of the requests in a message of the log: one behind its head, or several joined (see `src/app/entry-codec.ts`). */
function* bodiesOf(data: Uint8Array): Generator<string> {
  const view = Buffer.from(data.buffer, data.byteOffset, data.length);
  if (view[0] === 1) yield view.toString('utf8', 5 + view.readUInt32BE(1));
  for (let start = 1; view[0] === 2 && start < view.length;) {
    const end = start + 4 + view.readUInt32BE(start);
    yield* bodiesOf(view.subarray(start + 4, end));
    start = end;
  }
}

/** Reads the stream from its beginning until `alertCount` alerts were read. */
async function consume(
  natsUrl: string,
  partition: string,
  alertCount: number,
  count: (data: Uint8Array) => number,
): Promise<Measured> {
  const connection = await connectNats(natsConnectionConfig.parse({ servers: [natsUrl] }), 'bench');
  const measured = startWatch();
  const consumer = await jetstream(connection).consumers.get(`bench-log-${partition}`);
  const messages = await consumer.consume({ max_messages: readAhead });
  let read = 0;
  for await (const message of messages) {
    read += count(message.data);
    if (read >= alertCount) break;
  }
  const taken = measured();
  await closeNats(connection);
  return taken;
}

function parsed(data: Uint8Array): number {
  let count = 0;
  for (const body of bodiesOf(data)) count += (JSON.parse(body) as unknown[]).length;
  return count;
}

function decoded(data: Uint8Array): number {
  const { kind, payload } = entryCodec.decode(data);
  return kind === 'alerts' ? payload.length : 0;
}

const self = import.meta.filename;
const own = (scene: BenchScene, ...partitions: readonly string[]): Promise<Measured> =>
  measureApart(self, 'own', scene.configFile, ...partitions);

async function bench(alertCount: number, turns: number): Promise<void> {
  const scene = await openBenchScene();
  const rounds = Math.max(1, Math.round(alertCount / seriesCount));
  const total = rounds * seriesCount;
  const inStream = [0, 0];
  let filled = 0;
  const fill = async (times: number): Promise<void> => {
    for (const [partition, domain] of domains.entries()) {
      for (let index = 0; index < times; index++)
        await scene.fill(partition, repeatedRequests(seriesCount, ++filled, domain), Date.now());
      inStream[partition]! += times * seriesCount;
    }
  };
  // Under the configuration from the first alert on, and with each series known.
  await own(scene, '0', '1');
  await fill(1);
  await own(scene, '0', '1');
  const ratios = { parse: [] as number[], decode: [] as number[], two: [] as number[] };
  for (let turn = 0; turn < turns; turn++) {
    const idle = await own(scene, '0');
    await fill(rounds);
    const count = inStream[0]!;
    const parse = await measureApart(self, 'parse', scene.natsUrl, '0', String(count));
    const decode = await measureApart(self, 'decode', scene.natsUrl, '0', String(count));
    const one = without(await own(scene, '0'), idle);
    await own(scene, '1');
    ratios.parse.push(total / one.ms / (count / parse.ms));
    ratios.decode.push(total / one.ms / (count / decode.ms));
    const idleBoth = await own(scene, '0', '1');
    await fill(rounds);
    const both = without(await own(scene, '0', '1'), idleBoth);
    const idleTwo = await Promise.all([own(scene, '0'), own(scene, '1')]);
    await fill(rounds);
    const two = await Promise.all([own(scene, '0'), own(scene, '1')]);
    const twoMs = Math.max(...two.map((each, index) => without(each, idleTwo[index]!).ms));
    ratios.two.push(both.ms / twoMs);
    console.log(
      `parse ${told(parse, count)}, decode ${told(decode, count)}, owner ${told(one, total)} behind ${idle.ms.toFixed(0)} ms to take the partition on; ` +
        `two partitions: one owner ${told(both, 2 * total)}, two owners ${rate(twoMs, 2 * total)} alerts/s`,
    );
  }
  const median = (list: readonly number[]): string =>
    list.toSorted((a, b) => a - b)[list.length >> 1]!.toFixed(2);
  console.log(
    `median of ${turns}: owner against a bare consumer that parses ${median(ratios.parse)}, against one that decodes ${median(ratios.decode)}; ` +
      `two owners of a partition each against one of both ${median(ratios.two)}`,
  );
  await scene.close();
}

function without(all: Measured, part: Measured): Measured {
  return { ms: all.ms - part.ms, cpuMs: all.cpuMs - part.cpuMs };
}

function rate(ms: number, alerts: number): string {
  return Math.round((alerts * 1000) / ms).toLocaleString('en');
}

function told({ ms, cpuMs }: Measured, alerts: number): string {
  return `${rate(ms, alerts)} alerts/s (${((cpuMs * 1000) / alerts).toFixed(1)} us CPU)`;
}

const [role, ...rest] = process.argv.slice(2);
if (role === 'parse' || role === 'decode') {
  const [url = '', partition = '0', count = '0'] = rest;
  process.send?.(await consume(url, partition, Number(count), role === 'parse' ? parsed : decoded));
  process.exit();
} else if (role === 'own') {
  const [configFile = '', ...partitions] = rest;
  const owned = await ownPartitions(configFile, partitions.map(Number));
  process.send?.({ ms: owned.ms, cpuMs: owned.cpuMs } satisfies Measured);
  await owned.close();
  process.exit();
} else await bench(Number(role ?? 500_000), Number(rest[0] ?? 3));
