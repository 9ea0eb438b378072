import { expect, test } from 'vitest';
import { openAll } from '../../src/app/fleet/open-all.ts';

test('what was opened is told of, and so is what opens after another could not be', async () => {
  const opened: string[] = [];
  const tell = (name: string): void => void opened.push(name);
  await expect(openAll([Promise.resolve('a'), Promise.resolve('b')], tell)).resolves.toEqual(['a', 'b']);
  expect(opened.splice(0)).toEqual(['a', 'b']);

  const late = Promise.withResolvers<string>();
  const opening = openAll(
    [Promise.resolve('a'), Promise.reject(new Error('not this one')), late.promise],
    tell,
  );
  late.resolve('c');
  await expect(opening).rejects.toThrow('not this one');
  expect(opened).toEqual(['a', 'c']);
});
