import { describe, expect, test } from 'vitest';
import { between, command, createScene, firing, look, resolved } from '../support/scene.ts';

const instance = { alertname: 'InstanceDown', zone: 'a' };
const zone = { alertname: 'ZoneDown', zone: 'a' };

describe('inhibition', () => {
  test('an inhibited alert is paged once its source resolves', async () => {
    const scene = createScene('test/acceptance/inhibit.yml');
    scene.at('1s', firing(instance));
    scene.at('2s', firing(zone));
    scene.at('9s', resolved(zone));
    scene.expectNone('web', between('0s', '9s'), instance);
    scene.expectOne('web', between('9s', '10s'), instance);
    await scene.run();
  });

  test('an alert of another zone is paged', async () => {
    const scene = createScene('test/acceptance/inhibit.yml');
    scene.at('1s', firing(zone));
    scene.at('1s', firing({ ...instance, zone: 'b' }));
    scene.expectOne('web', between('3s', '3s'), { zone: 'b' });
    await scene.run();
  });

  test('an alert that was paged before its source fired is not repeated while that fires, and its end is told', async () => {
    const scene = createScene('test/acceptance/inhibit.yml');
    scene.at('1s', firing(instance));
    scene.at('10s', firing(zone));
    scene.at('60s', resolved(instance), resolved(zone));
    scene.expectOne('web', between('0s', '60s'), instance);
    scene.expectOne('web', between('60s', '70s'), instance, 'resolved');
    await scene.run('30m');
  });

  test('who is paged for nothing learns by whom', async () => {
    const scene = createScene('test/acceptance/inhibit.yml');
    scene.at('1s', firing(zone), firing(instance));
    scene.at(
      '5s',
      look(({ intake, mute, dispatch }) => {
        const [source, target] = [...intake.alerts()].map(({ fingerprint }) => fingerprint);
        const { verdict, groups } = dispatch.explain(target!);
        expect(verdict).toEqual({ muted: true, silencedBy: [], inhibitedBy: [source] });
        expect(mute.verdict(target!)).toEqual(verdict);
        expect(groups[0]?.heldBecause).toBe('every alert is muted');
      }),
    );
    await scene.run();
  });
});

describe('a silence', () => {
  const silence = (seconds: number, matcher: { name: string; value: string; isRegex?: boolean }) =>
    command({
      kind: 'silence.set',
      body: {
        id: 'quiet',
        matchers: [{ isRegex: false, isEqual: true, ...matcher }],
        startsAtMs: 0,
        endsAtMs: Date.UTC(2026, 0, 5, 9, 0, seconds),
        createdBy: 'alex',
        comment: 'known',
      },
    });

  test('holds pages back while it lasts', async () => {
    const scene = createScene('test/acceptance/inhibit.yml');
    scene.at('0s', silence(20, { name: 'zone', value: 'a' }));
    scene.at('1s', firing(instance), firing({ ...instance, zone: 'b' }));
    scene.expectOne('web', between('3s', '3s'), { zone: 'b' });
    scene.expectNone('web', between('0s', '19999ms'), { zone: 'a' });
    scene.expectOne('web', between('20s', '21s'), { zone: 'a' });
    await scene.run();
    expect(scene.answers).toEqual([{ status: 'done', result: { silenceID: 'quiet' } }]);
  });

  test('can be expired early', async () => {
    const scene = createScene('test/acceptance/inhibit.yml');
    scene.at('0s', silence(50, { name: 'zone', value: 'a' }));
    scene.at('1s', firing(instance));
    scene.at('10s', command({ kind: 'silence.expire', body: { silenceId: 'quiet' } }));
    scene.expectNone('web', between('0s', '9999ms'), instance);
    scene.expectOne('web', between('10s', '11s'), instance);
    await scene.run();
  });

  test('that matches everything is refused', async () => {
    const scene = createScene('test/acceptance/inhibit.yml');
    scene.at('1s', silence(50, { name: 'alertname', value: '.*', isRegex: true }));
    scene.at('2s', firing(instance));
    scene.expectOne('web', between('4s', '4s'), instance);
    await scene.run();
    expect(scene.answers[0]).toMatchObject({ status: 'refused', code: 'invalid' });
  });
});
