import { describe, expect, test } from 'vitest';
import { fingerprintOf, MuteScene, startMs } from './scene.ts';

const disk = { alertname: 'DiskFull', instance: 'db-0', team: 'db' };
const slow = { alertname: 'Slow', instance: 'web-0' };
const mutedBy = (...silencedBy: string[]) => ({ muted: true, silencedBy, inhibitedBy: [] });

describe('a silence', () => {
  test('mutes what fires already, what fires later, and nothing else', async () => {
    const scene = new MuteScene();
    await scene.fire(0, disk, slow);
    expect(await scene.silence(1, { matchers: ['team=db'] })).toEqual({
      status: 'done',
      result: { silenceID: 'quiet' },
    });
    expect(scene.mute.verdict(fingerprintOf(disk))).toEqual(mutedBy('quiet'));
    expect(scene.mute.verdict(fingerprintOf(slow))).toEqual({ muted: false });
    const other = { ...disk, instance: 'db-1' };
    expect(await scene.fire(2, other)).toEqual([
      { fingerprint: fingerprintOf(other), verdict: mutedBy('quiet') },
    ]);
  });

  test('begins and ends with log time', async () => {
    const scene = new MuteScene();
    await scene.fire(0, disk);
    await scene.silence(0, { matchers: ['team=db'], from: 10, to: 20 });
    expect(scene.mute.silence('quiet')?.state).toBe('pending');
    expect(await scene.tick(9)).toEqual([]);
    expect(await scene.tick(10)).toEqual([{ fingerprint: fingerprintOf(disk), verdict: mutedBy('quiet') }]);
    expect(scene.mute.silence('quiet')?.state).toBe('active');
    expect(await scene.tick(20)).toEqual([{ fingerprint: fingerprintOf(disk), verdict: { muted: false } }]);
    expect(scene.mute.silence('quiet')?.state).toBe('expired');
  });

  test('is remembered for silence_retention after its end, then forgotten', async () => {
    const scene = new MuteScene();
    await scene.configure([], { silence_retention: '1h' });
    await scene.silence(0, { matchers: ['team=db'], to: 10 });
    await scene.tick(3609);
    expect([...scene.mute.silences()]).toHaveLength(1);
    await scene.tick(3610);
    expect([...scene.mute.silences()]).toEqual([]);
  });

  test('can be expired at once, also twice; an unknown one cannot', async () => {
    const scene = new MuteScene();
    await scene.fire(0, disk);
    await scene.silence(0, { matchers: ['team=db'] });
    expect(await scene.expire(5, 'quiet')).toMatchObject({ status: 'done' });
    expect(scene.mute.verdict(fingerprintOf(disk))).toEqual({ muted: false });
    expect(await scene.expire(6, 'quiet')).toMatchObject({ status: 'done' });
    expect(scene.mute.silence('quiet')?.silence.endsAtMs).toBe(startMs + 5000);
    expect(await scene.expire(7, 'other')).toMatchObject({ status: 'refused', code: 'not_found' });
  });

  test('that has not begun loses its time when it is expired', async () => {
    const scene = new MuteScene();
    await scene.silence(0, { matchers: ['team=db'], from: 100, to: 200 });
    await scene.expire(5, 'quiet');
    expect(scene.mute.silence('quiet')).toMatchObject({
      state: 'expired',
      silence: { startsAtMs: startMs + 5000, endsAtMs: startMs + 5000 },
    });
  });

  test('all that match are named, in the order of their ids', async () => {
    const scene = new MuteScene();
    await scene.silence(0, { id: 'z', matchers: ['team=db'] });
    await scene.silence(0, { id: 'b', matchers: ['alertname=~Disk.*', 'team!=web'] });
    await scene.silence(0, { id: 'c', matchers: ['instance!~web.*'] });
    await scene.silence(0, { id: 'no', matchers: ['team=db', 'alertname=Slow'] });
    await scene.fire(1, disk);
    expect(scene.mute.verdict(fingerprintOf(disk))).toEqual(mutedBy('b', 'c', 'z'));
    await scene.expire(2, 'b');
    expect(scene.mute.verdict(fingerprintOf(disk))).toEqual(mutedBy('c', 'z'));
  });

  test('that begins in the past begins now', async () => {
    const scene = new MuteScene();
    await scene.silence(100, { matchers: ['team=db'], from: 0, to: 200 });
    expect(scene.mute.silence('quiet')?.silence.startsAtMs).toBe(startMs + 100_000);
  });
});

describe('changing a silence', () => {
  test('keeps its id when only its end and its comment change', async () => {
    const scene = new MuteScene();
    await scene.silence(0, { matchers: ['team=db'], to: 100 });
    expect(
      await scene.silence(50, { matchers: ['team=db'], from: 0, to: 500, comment: 'longer' }),
    ).toMatchObject({ result: { silenceID: 'quiet' } });
    await scene.fire(60, disk);
    await scene.tick(100);
    expect(scene.mute.verdict(fingerprintOf(disk))).toEqual(mutedBy('quiet'));
    await scene.tick(500);
    expect(scene.mute.verdict(fingerprintOf(disk))).toEqual({ muted: false });
  });

  test.each([
    ['other matchers', { matchers: ['team=web'], from: 0 }],
    ['the order of matchers', { matchers: ['alertname=DiskFull', 'team=db'], from: 0 }],
    ['another start', { matchers: ['team=db', 'alertname=DiskFull'], from: 30 }],
  ])('%s of an active one end it and begin a new one', async (_, change) => {
    const scene = new MuteScene();
    await scene.silence(0, { matchers: ['team=db', 'alertname=DiskFull'], to: 100 });
    const answer = await scene.silence(10, { ...change, to: 100 });
    expect(answer).toEqual({ status: 'done', result: { silenceID: 'command-2' } });
    expect(scene.mute.silence('quiet')).toMatchObject({
      state: 'expired',
      silence: { endsAtMs: startMs + 10_000 },
    });
    expect(scene.mute.silence('command-2')?.silence.startsAtMs).toBe(
      startMs + Math.max(10, change.from) * 1000,
    );
  });

  test('one that has not begun yet may move, but not into the past', async () => {
    const scene = new MuteScene();
    await scene.silence(0, { matchers: ['team=db'], from: 100, to: 200 });
    expect(await scene.silence(1, { matchers: ['team=db'], from: 50, to: 200 })).toMatchObject({
      result: { silenceID: 'quiet' },
    });
    expect(await scene.silence(10, { matchers: ['team=db'], from: 5, to: 200 })).toMatchObject({
      result: { silenceID: 'command-3' },
    });
  });

  test('one that is over makes a new one', async () => {
    const scene = new MuteScene();
    await scene.silence(0, { matchers: ['team=db'], to: 10 });
    expect(await scene.silence(20, { matchers: ['team=db'], to: 30 })).toMatchObject({
      result: { silenceID: 'command-2' },
    });
    expect(scene.mute.silence('quiet')?.state).toBe('expired');
  });

  test('replaces what it muted in one step', async () => {
    const scene = new MuteScene();
    await scene.fire(0, disk, slow);
    await scene.silence(1, { matchers: ['team=db'] });
    await scene.silence(2, { matchers: ['alertname=Slow'], from: 1 });
    expect(scene.mute.verdict(fingerprintOf(disk))).toEqual({ muted: false });
    expect(scene.mute.verdict(fingerprintOf(slow))).toEqual(mutedBy('command-2'));
  });
});

describe('what Alertmanager refuses is refused', () => {
  test.each([
    ['no matcher', { matchers: [] }, 'at least one matcher required'],
    [
      'matchers of anything',
      { matchers: ['a=', 'b=~.*'] },
      'at least one matcher must not match the empty string',
    ],
    ['a pattern that does not compile', { matchers: ['a=~('] }, 'invalid label matcher'],
    ['a matcher without a name', { matchers: ['=x'] }, 'a label name must not be empty'],
    [
      'an end before its start',
      { matchers: ['a=b'], from: 20, to: 15 },
      'end time must not be before start time',
    ],
    [
      'an end at its start',
      { matchers: ['a=b'], from: 20, to: 20 },
      'end time must not be equal to start time',
    ],
    ['an end in the past', { matchers: ['a=b'], from: 1, to: 5 }, "end time can't be in the past"],
    ['a time that is none', { matchers: ['a=b'], to: Number.NaN }, 'start and end must be times'],
  ])('%s', async (_, silence, message) => {
    const scene = new MuteScene();
    expect(await scene.silence(10, silence)).toEqual({
      status: 'refused',
      code: 'invalid',
      message: expect.stringContaining(message) as string,
    });
    expect([...scene.mute.silences()]).toEqual([]);
  });

  test('a negative matcher alone is accepted, as there', async () => {
    const scene = new MuteScene();
    expect(await scene.silence(0, { matchers: ['team!=db'] })).toMatchObject({ status: 'done' });
  });
});
