import { expect, test } from 'vitest';
import { openDoor } from '../../src/app/door.ts';

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
