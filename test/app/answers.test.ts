import { expect, test } from 'vitest';
import { command, createScene, firing, look, restarted } from '../support/scene.ts';

const config = { route: { receiver: 'all', group_by: ['incident'] }, receivers: [{ name: 'all' }] };
const split = (signalIds: readonly string[]): Parameters<typeof command>[0] => ({
  kind: 'incident.split',
  body: { incidentId: 'INC-1', signalIds },
});
const grouped = ['HighErrorRate', 'SlowAnswers', 'DiskFull'].map((alertname) =>
  firing({ alertname, service: 'shop', severity: 'critical', environment: 'prod' }),
);

test('a command that is in the log twice is carried out once, after a restart too, and answered the same', async () => {
  const scene = createScene(config)
    .at('1s', ...grouped)
    .at('5s', command(split(['sig-2-0']), 'key'))
    .at('6s', command(split(['sig-2-0']), 'key'))
    .at('7s', restarted(), command(split(['sig-2-0']), 'key'))
    .at(
      '8s',
      look(({ triage }) => expect(triage.incidents().map(({ id }) => id)).toHaveLength(2)),
    );
  await scene.run();
  expect(scene.answers[0]).toMatchObject({ status: 'done' });
  expect(scene.answers).toEqual([scene.answers[0], scene.answers[0], scene.answers[0]]);
});

test('another command under an id that was used is refused and changes nothing', async () => {
  const scene = createScene(config)
    .at('1s', ...grouped)
    .at('5s', command(split(['sig-2-0']), 'key'))
    .at('6s', command(split(['sig-3-0']), 'key'))
    .at(
      '8s',
      look(({ triage }) => expect(triage.incidents()).toHaveLength(2)),
    );
  await scene.run();
  expect(scene.answers[1]).toMatchObject({ status: 'refused', code: 'conflict' });
});
