import { expect, test } from 'vitest';
import { replicaWarning } from '../../src/app/fleet/replica-warning.ts';

test('replicas on a server that loses entries are warned of', () => {
  expect(replicaWarning(3, '2.9.10')).toMatch(
    /^fleet\.log\.replicas is 3, and the NATS server is 2\.9\.10: /,
  );
  expect(replicaWarning(3, '2.10.27')).toContain('2.10.27');
});

test.each([
  [1, '2.9.10'],
  [3, '2.11.0'],
  [3, '2.15.1'],
  [3, '3.0.0-beta.1'],
  [3, undefined],
  [3, 'unknown'],
])('%i replicas on %s are not', (replicas, version) => {
  expect(replicaWarning(replicas, version)).toBe(null);
});
