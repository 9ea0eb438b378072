import { afterEach, expect, test } from 'vitest';
import { entry, ClusterScene, reaches } from './scene.ts';

let scene: ClusterScene;
afterEach(() => scene.end());

test('one member alone leads', async () => {
  scene = await ClusterScene.of(1);
  const only = await scene.join(0);
  expect(only.cluster.role).toBe('leading');
  expect(await only.cluster.ask('keep', 'a')).toEqual({ result: 'kept a', position: 1 });
  await only.cluster.assertLeading();
});

test('three that begin at once have one leader, and all hear of all', async () => {
  scene = await ClusterScene.of(3);
  const members = await Promise.all([0, 1, 2].map((index) => scene.join(index)));
  expect(members.map(({ cluster }) => cluster.role).toSorted()).toEqual([
    'following',
    'following',
    'leading',
  ]);
});

test('whoever is asked, the leader answers, and what it acknowledged is on the disk of every follower', async () => {
  scene = await ClusterScene.of(3);
  const [leader, second, third] = [await scene.join(0), await scene.join(1), await scene.join(2)];
  await leader.cluster.log.append(entry('first'));
  for (const [index, { cluster }] of [leader, second, third].entries()) await cluster.ask('keep', index);
  expect(leader.asked).toEqual([0, 1, 2]);
  for (const member of [second, third]) expect(await member.payloads()).toEqual(['first', 0, 1, 2]);
});

test('a follower refuses to append, and does not act', async () => {
  scene = await ClusterScene.of(2);
  await scene.join(0);
  const follower = await scene.join(1);
  const refusal = { code: 'TOC_CLUSTER_NO_LEADER', retryable: true };
  await expect(follower.cluster.log.append(entry('mine'))).rejects.toMatchObject(refusal);
  await expect(follower.cluster.assertLeading()).rejects.toMatchObject(refusal);
});

test('when the leader leaves, another goes on where it was, and a question under way is answered', async () => {
  scene = await ClusterScene.of(3);
  const [leader, second, third] = [await scene.join(0), await scene.join(1), await scene.join(2)];
  await leader.cluster.ask('keep', 'before');
  await leader.leave();
  expect(await third.cluster.ask('keep', 'after')).toMatchObject({ result: 'kept after' });
  const next = [second, third].find(({ cluster }) => cluster.role === 'leading')!;
  expect(await next.payloads()).toEqual(['before', 'after']);
});

test('a member that comes back follows, and takes over what it missed', async () => {
  scene = await ClusterScene.of(2);
  const [leader, second] = [await scene.join(0), await scene.join(1)];
  await leader.cluster.ask('keep', 'before');
  await leader.leave();
  await second.cluster.ask('keep', 'meanwhile');
  const back = await scene.join(0);
  expect(back.cluster.role).toBe('following');
  expect(await back.payloads()).toEqual(['before', 'meanwhile']);
  expect(back.replaced).toEqual([]);
});

test('a follower that is away holds nobody up', async () => {
  scene = await ClusterScene.of(2);
  const [leader, second] = [await scene.join(0), await scene.join(1)];
  await leader.cluster.ask('keep', 'a');
  await second.leave();
  await leader.cluster.ask('keep', 'b');
  expect(leader.cluster.inSyncCount).toBe(0);
});

test('a leader that was cut off learns that it was replaced, and begins anew with the log of the other', async () => {
  scene = await ClusterScene.of(2);
  const [old, next] = [await scene.join(0), await scene.join(1)];
  await old.cluster.ask('keep', 'both know');
  // Nobody reaches the leader; both go on, as nobody can tell a lost network from a lost machine.
  scene.cut(0);
  scene.cut(1);
  await old.cluster.log.append(entry('only the old one knows'));
  await next.cluster.leading;
  await next.cluster.log.append(entry('only the new one knows'));
  scene.mend(0);
  scene.mend(1);
  expect(await old.ended).toBe('outranked');
  await expect(old.cluster.log.append(entry('late'))).rejects.toMatchObject({
    code: 'TOC_CLUSTER_NO_LEADER',
  });
  await old.leave();
  const back = await scene.join(0);
  expect(back.cluster.role).toBe('following');
  expect(back.replaced).toEqual([null]);
  expect(await back.payloads()).toEqual(['both know', 'only the new one knows']);
});

test('whoever comes new gets the state where the log no longer goes back so far', async () => {
  scene = await ClusterScene.of(2);
  const leader = await scene.join(0);
  for (const name of ['a', 'b', 'c', 'd']) await leader.cluster.ask('keep', name);
  const rows = [{ table: 't', key: 'k', order: 1, value: { deep: [1, 'x'] } }];
  scene.checkpoint = { position: 3, timeMs: 1, rows };
  await leader.cluster.log.trim(3);
  const follower = await scene.join(1);
  expect(follower.replaced).toEqual([scene.checkpoint]);
  expect(await follower.payloads()).toEqual(['c', 'd']);
  await leader.cluster.ask('keep', 'e');
  await reaches(follower, 5);
  expect(await follower.payloads()).toEqual(['c', 'd', 'e']);
});

test('who does not know the token is no member', async () => {
  scene = await ClusterScene.of(2);
  const inside = await scene.join(0, 'right');
  const outside = await scene.join(1, 'wrong');
  expect([inside.cluster.role, outside.cluster.role]).toEqual(['leading', 'leading']);
  expect(inside.cluster.members).toHaveLength(1);
});

test('an address that is taken is an error with a code', async () => {
  scene = await ClusterScene.of(1);
  await scene.join(0);
  await expect(scene.join(0)).rejects.toMatchObject({ code: 'TOC_LISTEN_FAILED' });
});
