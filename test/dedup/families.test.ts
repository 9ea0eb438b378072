import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Families, variable, type ShapeRow } from '../../src/dedup/families.ts';
import { maskTemplate } from '../../src/dedup/mask.ts';
import { splitTemplate } from '../../src/dedup/split.ts';
import { Table } from '../../src/engine/index.ts';

const users = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'];

function familiesOf(texts: readonly string[], limits?: { familiesPerShape: number; families: number }) {
  const families = new Families(new Table<ShapeRow>('families'), limits);
  for (const text of texts) learn(families, text);
  return families;
}

function learn(families: Families, text: string): readonly string[] {
  const split = splitTemplate(maskTemplate(text));
  return families.learn(split.shape, split);
}

function familyOf(families: Families, text: string): string {
  const { shape, slots } = splitTemplate(maskTemplate(text));
  return families
    .familyOf(shape, slots)
    .map((slot) => (slot === variable ? '*' : slot))
    .join(' ');
}

function taught(texts: readonly string[], asked: string): string {
  return familyOf(familiesOf(texts), asked);
}

describe('a variable', () => {
  test('is a word that four texts have in four ways, in texts that are equal otherwise', () => {
    const texts = users.map((user) => `login of user ${user} noted`);
    expect(taught(texts.slice(0, 3), 'login of user zoe noted')).toBe('of user zoe noted');
    expect(taught(texts.slice(0, 4), 'login of user zoe noted')).toBe('of user * noted');
    expect(taught(texts.slice(0, 4), 'login of admin zoe noted')).toBe('of admin zoe noted');
  });

  test('is a path, an address or the number of a series that three texts have in three ways', () => {
    const paths = ['/etc/a', '/etc/b', '/etc/c'].map((path) => `cannot read file ${path} today`);
    expect(taught(paths, 'cannot read file /tmp/x today')).toBe('file * today');
    const nodes = ['node-1', 'node-2', 'node-3'].map((node) => `traffic via ${node} today`);
    expect(taught(nodes, 'traffic via node-9 today')).toBe('via * today');
    const interfaces = ['eth0', 'alt1', 'sci2'].map((name) => `traffic via ${name} today`);
    expect(taught(interfaces, 'traffic via eth0 today')).toBe('via eth0 today');
  });

  test('may stand in several places at once', () => {
    const texts = users.map((user, i) => `mail of ${user} lies in the folder /srv/${i}x/in of the archive`);
    expect(taught(texts, 'mail of zoe lies in the folder /srv/q of the archive')).toContain('of * lies');
  });

  test('is never a state in capitals, a direction word, or what the text begins with', () => {
    const states = ['ALPHA', 'BRAVO', 'CHARLIE', 'DELTA', 'ECHO', 'FOXTROT', 'GOLF'];
    const texts = states.map((state) => `attempt is ${state} according to the master`);
    expect(taught(texts, texts[2]!)).toContain('CHARLIE');
    const first = users.map((user) => `${user} has logged in at the gate`);
    expect(taught(first, first[0]!)).not.toContain('*');
    expect(familiesOf(first).count).toBe(users.length);
  });

  test('needs words around it that do not vary', () => {
    const texts = users.map((user, i) => `${i}: ${user}`);
    expect(taught(texts, '7: alice')).toBe('<*> alice');
  });

  test('stays one', () => {
    const families = familiesOf(users.map((user) => `login of user ${user} noted`));
    for (let i = 0; i < 500; i++) learn(families, `login of guest ${'x'.repeat(i)}y noted`);
    expect(familyOf(families, 'login of user zoe noted')).toBe('of user * noted');
  });
});

test('says of which shapes texts may have another family now', () => {
  const families = new Families(new Table<ShapeRow>('families'));
  const changed = users.map((user) => learn(families, `login of user ${user} noted`).length);
  expect(changed).toEqual([0, 0, 0, 1, 0, 0]);
});

describe('what is kept', () => {
  test('is bounded in a shape, where what has no variable goes first', () => {
    const families = familiesOf(
      [
        ...users.map((user) => `login of user ${user} noted`),
        ...Array.from({ length: 50 }, (_, i) => `${'xy'.repeat(i + 1)}7 of ${'ab'.repeat(i + 1)} z`),
        ...Array.from(
          { length: 50 },
          (_, i) => `login a${'b'.repeat(i)} c${'d'.repeat(i)} e${'f'.repeat(i)} noted`,
        ),
      ],
      { familiesPerShape: 8, families: 1000 },
    );
    expect(families.count).toBeLessThanOrEqual(16);
    expect(familyOf(families, 'login of user zoe noted')).toBe('of user * noted');
  });

  test('is bounded in all, where the shapes go first that have not changed for the longest time', () => {
    const families = familiesOf(
      [
        ...users.map((user) => `login of user ${user} noted`),
        ...Array.from({ length: 100 }, (_, i) => `${'q'.repeat(i + 1)} of something`),
      ],
      { familiesPerShape: 64, families: 20 },
    );
    expect(families.count).toBeGreaterThan(15);
    expect(families.count).toBeLessThanOrEqual(20);
    expect(familyOf(families, 'login of user zoe noted')).toBe('of user zoe noted');
  });

  test('is the same after a restart anywhere', () => {
    const text = fc
      .tuple(fc.constantFrom(...users, 'ROOT'), fc.constantFrom('/a/b', '/c', '10.0.0.1', 'x'), fc.nat(3))
      .map(([user, path, n]) => `${'login'.slice(n)} of user ${user} to ${path} noted`);
    fc.assert(
      fc.property(fc.array(text, { maxLength: 60, size: 'max' }), fc.nat(), (texts, at) => {
        const limits = { familiesPerShape: 6, families: 12 };
        const table = new Table<ShapeRow>('families');
        const whole = new Families(table, limits);
        let copy: Table<ShapeRow> | null = null;
        let restarted: Families | null = null;
        for (const [i, each] of texts.entries()) {
          if (i === at % texts.length) {
            copy = new Table<ShapeRow>('families');
            copy.load(table.rows());
            restarted = new Families(copy, limits);
            restarted.restore();
          }
          learn(whole, each);
          if (restarted) learn(restarted, each);
        }
        expect(copy?.rows() ?? []).toEqual(table.rows());
        expect(restarted?.count ?? 0).toBe(whole.count);
      }),
      { numRuns: 100 },
    );
  });
});
