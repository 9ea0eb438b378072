import { expect, test } from 'vitest';
import type { Entry } from '../../src/engine/index.ts';
import { jsonCodec } from '../../src/log/index.ts';
import { StreamClient } from '../../src/log/jetstream-client.ts';
import { StreamTail } from '../../src/log/stream-tail.ts';
import { startNats } from '../support/nats.ts';

test('what arrives while the stream is looked at is not taken for lost', async () => {
  const server = await startNats();
  const connection = await server.connect();
  const settings = { replicas: 1, maxBytes: null, maxAgeMs: null, duplicateWindowMs: 120_000 };
  const client = await StreamClient.open(connection, 'busy', ['busy'], settings);
  const codec = jsonCodec<Entry>();
  let lookCount = 0;
  const { promise: lookedEnough, resolve } = Promise.withResolvers<void>();
  const tail: StreamTail<Entry> = new StreamTail({
    client: {
      stream: 'busy',
      read: (position) => client.read(position),
      message: (position) => client.message(position),
      async state() {
        const state = await client.state();
        // The answer is late: an entry is appended and handed over before it is here.
        const { bytes } = codec.encode({ kind: 'tick', timeMs: lookCount, payload: null });
        const outcome = await client.publish('busy', bytes, { id: `entry-${++lookCount}`, writer: 'test' });
        if (outcome.kind === 'kept') await tail.reached(outcome.position);
        if (lookCount > 4) resolve();
        return state;
      },
    },
    codec,
    state: (await client.state())!,
    onSlice: () => undefined,
  });
  tail.begin();
  await lookedEnough;
  expect([tail.failure, tail.trouble]).toEqual([null, null]);
  await tail.close();
  await connection.close();
  await server.stop();
});
