import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maskText, maxTextLength, stemOf } from '../../src/dedup/mask.ts';

const templates: readonly (readonly [text: string, template: string])[] = [
  ['pod checkout-7d9f8b6c5-x2x1z restarted', 'pod checkout-<pod> restarted'],
  ['Pod node-exporter-x7k2p is down', 'Pod node-exporter-<pod> is down'],
  ['backup-28391040-x7k2p failed', 'backup-<pod> failed'],
  ['rolled out checkout-7d9f8b6c5', 'rolled out checkout-<pod>'],
  ['10.0.0.1:8080 and 10.0.0.0/8', '<ip> and <ip>'],
  ['from 10.0.0.1,10.0.0.2', 'from <ip>,<ip>'],
  ['[fe80::1]:9090 or 2001:db8::8a2e:370:7334 or ::1', '<ip> or <ip> or <ip>'],
  ['::ffff:10.0.0.1 and ip-10-0-0-12.ec2.internal', '<ip> and <ip>.ec2.internal'],
  ['mac aa:bb:cc:00:11:22', 'mac <mac>'],
  ['at 2022-01-25T00:06:19.000Z and 2022/01/25 09:13:00,5', 'at <time> and <time> <time>'],
  ['on 25.01.2022, [25/Jan/2022:00:06:19 +0000]', 'on <time>, [<time> +<num>]'],
  ['took 1h30m (250ms), 1.5GiB of 2TB', 'took <duration> (<duration>), <size> of <size>'],
  ['disk 91% full, 1,234,567 rows, 1e-6', 'disk <num>% full, <num> rows, <num>'],
  ['range 10-20, value -5.2', 'range <num>-<num>, value -<num>'],
  ['request 550e8400-e29b-41d4-a716-446655440000', 'request <uuid>'],
  ['trace 4bf92f3577b34da6a3ce929d0e0e4736, 0xdeadBEEF', 'trace <hex>, <hex>'],
  ['container 3f4e5d6c7b8a of i-0abcd1234ef567890', 'container <hex> of i-<hex>'],
  ['sha256:9f86d081884c7d659a2feaa0c55ad015', 'sha256:<hex>'],
  ['upload 01ARZ3NDEKTSV4RRFFQ69G5FAV', 'upload <id>'],
  ['http://shop:8080/users/123?page=5', 'http://shop:<num>/users/<num>?page=<num>'],
  ['at Fri Jun 17 07:07:00 2005', 'at <time>'],
  ['since Thu Aug 04 15:29:45 PDT 2005, again', 'since <time>, again'],
  ['Fri, 17 Jun 2005 07:07:00 GMT and Jun 14 15:16:01', '<time> and <time>'],
  ['5.2 KB of 281.6 MB took 160 ms, then 3 minutes', '<size> of <size> took <duration>, then <duration>'],
  ['port ff:f2:9f:16:e2:23:00:0d gone', 'port <mac> gone'],
  ['exception......0', 'exception......<num>'],
  ['block blk_-1608999687919862906', 'block blk_<num>'],
  ['order10442 and order-10442', 'order<num> and order-<num>'],
];

test.each(templates)('%s', (text, template) => {
  expect(maskText(text).template).toBe(template);
});

const names = [
  'web-1 in eu-west-2a',
  'postgres-0, db01, kafka_2',
  'p95 over s3, ipv4, utf8, x86_64',
  'v1.2.3 and 1.2.4',
  'ORA-01555, CVE-2021-44228, KB5005565',
  'HTTP 500, status code 404, exit code 137, errno 5',
  'my-service1-start my-service-prod1',
  'std::string, a:b, --flag, path/to/file.txt',
  'decade facade added',
  'it may march on Sat and sun',
  'sunday may be a second choice',
];

test.each(names)('names and codes stay: %s', (text) => {
  expect(maskText(text).template).toBe(text);
});

describe('tokens', () => {
  test('are lower-case words, compound names taken apart, with placeholders and signs', () => {
    expect(maskText('TargetDown: 磁盘 10.0.0.1 < -3% ↑').tokens).toEqual([
      'target',
      'down',
      '磁',
      '盘',
      '<ip>',
      '<',
      '-',
      '<num>',
      '↑',
    ]);
  });
});

test('the dash of an identifier is no minus', () => {
  expect(maskText('block blk_-16089').tokens).toEqual(['block', 'blk', '<num>']);
  expect(maskText('delta=-16089').tokens).toEqual(['delta', '-', '<num>']);
});

describe('the stem of a name', () => {
  test.each([
    ['checkout-7d9f8b6c5-x2x1z', 'checkout'],
    ['postgres-0', 'postgres'],
    ['prometheus-k8s-1', 'prometheus-k8s'],
    ['x2x1z', ''],
    ['10.0.0.1', ''],
    ['3f4e5d6c7b8a', ''],
    ['a', ''],
    ['web', 'web'],
  ])('%s', (name, stem) => {
    expect(stemOf(name)).toBe(stem);
  });
});

test('any text is masked, in the same way each time and within its bounds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const { template, tokens } = maskText(text);
      expect(maskText(text)).toEqual({ template, tokens });
      // The shortest text that is masked is one digit.
      expect(template.length).toBeLessThanOrEqual(text.length * '<num>'.length);
    }),
  );
});

test('numbers do not show', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.nat(), (a, b) => {
      const [first, second] = [Math.abs(a), b].map(
        (value) => maskText(`used ${value} of the quota`).template,
      );
      expect(first).toBe(second);
    }),
  );
});

test('what lies beyond the longest text is cut', () => {
  expect(maskText('x'.repeat(maxTextLength + 1)).template).toBe('x'.repeat(maxTextLength));
});
