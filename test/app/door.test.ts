import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { openDoor } from '../../src/app/door.ts';
import { refuseRequests } from '../../src/app/refuse-requests.ts';

test('who comes before the door is open waits, and is answered then', async () => {
  const door = await openDoor(['127.0.0.1:0', '127.0.0.1:0']);
  const early = fetch(door.url);
  door.open((_request, response) => response.end('hello'));
  expect(await (await early).text()).toBe('hello');
  expect(await (await fetch(door.url)).text()).toBe('hello');
  await door.close();
  await expect(fetch(door.url)).rejects.toThrow();
});

test('an address that is taken is named, and the others are let go', async () => {
  const first = await openDoor(['127.0.0.1:0']);
  const taken = new URL(first.url).host;
  await expect(openDoor(['127.0.0.1:0', taken])).rejects.toMatchObject({
    code: 'TOC_LISTEN_FAILED',
    message: `cannot listen on ${taken}`,
  });
  await first.close();
});

test('a door that is about to close answers what is under way, and refuses the rest', async () => {
  const door = await openDoor(['127.0.0.1:0']);
  const begun = Promise.withResolvers<ServerResponse>();
  door.open((_request, response) => begun.resolve(response));
  const early = fetch(door.url);
  const response = await begun.promise;
  door.open(refuseRequests('/am'));
  const settled = door.settled(60_000);
  const late = await fetch(`${door.url}/am/api/v2/alerts`, {
    method: 'POST',
    body: 'x'.repeat(1_000_000),
  });
  expect([late.status, late.headers.get('retry-after'), late.headers.get('connection')]).toEqual([
    503,
    '1',
    'close',
  ]);
  expect(await late.text()).toBe('TOC_STOPPING: this process is ending');
  expect((await fetch(`${door.url}/am/-/ready`)).status).toBe(503);
  expect((await fetch(`${door.url}/am/-/healthy`)).status).toBe(200);
  response.end('kept');
  await settled;
  expect(await (await early).text()).toBe('kept');
  await door.close();
});

test('what is never answered holds nobody up for ever', async () => {
  const door = await openDoor(['127.0.0.1:0']);
  const begun = Promise.withResolvers<void>();
  door.open(() => begun.resolve());
  const never = fetch(door.url);
  await begun.promise;
  await door.settled(1);
  await Promise.all([door.close(), expect(never).rejects.toThrow()]);
});
