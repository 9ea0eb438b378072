import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maskTemplate } from '../../src/dedup/mask.ts';
import { gap, joinSlots, masked, slotKind, splitTemplate } from '../../src/dedup/split.ts';

function slotsOf(text: string): readonly string[] {
  return splitTemplate(maskTemplate(text)).slots;
}

describe('what may turn out to be a variable', () => {
  test.each<readonly [text: string, slots: readonly string[]]>([
    ['Password of alice was wrong', ['of', 'alice', 'was', 'wrong']],
    ['node-129 has news', ['node-129', 'has', 'news']],
    ['Opening /var/log/app.log', ['/var/log/app.log']],
    ['fetch https://shop.example/a?x=1,2 now', ['https://shop.example/a?x=<*>', 'now']],
    ['mail to jane@example.org', ['to', 'jane@example.org']],
    ['pipe C:\\Windows\\a.dll hums', ['c:\\windows\\a.dll', 'hums']],
    ['listens at proxy.example.net:5070', ['at', 'proxy.example.net:<*>']],
    ['task task_201706092018_0024_m_000003 done', ['task_<*>_<*>_m_<*>', 'done']],
    ['count=5 size=12', ['<*>', 'size', '<*>']],
    ['peers 10.0.0.1, 10.0.0.2 and 10.0.0.3', [masked, 'and', masked]],
    ['got 2048 bytes (2 KiB) more', [masked]],
    ['from 10.0.0.1 () here', [masked, masked, 'here']],
    ['call f() now', ['f', 'now']],
    ['moves from ALPHA to BRAVO', ['from', 'ALPHA', 'to', 'BRAVO']],
  ])('%s', (text, slots) => {
    expect(slotsOf(text)).toEqual(slots);
  });

  test('is no direction word, no word with one in it, and not the first word', () => {
    expect(slotsOf('checkout is down')).toEqual(['is']);
    expect(slotsOf('state LinkDown of link-up')).toEqual(['of']);
    expect(slotsOf('mapred.job.id deprecated')).toEqual(['deprecated']);
  });
});

test('what a slot holds is told apart', () => {
  expect(
    ['<*>', '/a', 'a.b.c', 'db01.example', '24041976', 'deadbeef', 'node-1', 'NEW', 'alice'].map(slotKind),
  ).toEqual(['masked', 'value', 'name', 'value', 'value', 'value', 'code', 'state', 'word']);
});

test('texts of one shape differ in slots alone', () => {
  const [a, b] = ['port 5 is <-3% of link', 'port 7 is <-9% of link'].map((text) =>
    splitTemplate(maskTemplate(text)),
  );
  expect(a).toEqual(b);
  expect(joinSlots(a!.shape, a!.slots)).toBe(' port <*> is<-<*>%of link');
});

test('any text is split into as many slots as its shape has gaps, which lie in order within it', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.lorem(),
        fc.string({ unit: fc.constantFrom(gap, 'a', '<num>', ' ', '(', ')', ',', '/') }),
      ),
      (text) => {
        const { shape, slots, places } = splitTemplate(text);
        expect(shape.split(gap)).toHaveLength(slots.length + 1);
        expect(places).toHaveLength(2 * slots.length);
        for (let i = 1; i < places.length; i++) expect(places[i]).toBeGreaterThanOrEqual(places[i - 1]!);
        expect(places.at(-1) ?? 0).toBeLessThanOrEqual(text.length);
      },
    ),
  );
});
