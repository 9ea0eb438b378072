/** Tells of what happens again and again: the first time at once, then once in `everyMs` at most, with how often it was since. */
export function seldom<What>(
  everyMs: number,
  tell: (what: What, count: number) => void,
  nowMs: () => number = () => performance.now(),
): (what: What) => void {
  let toldAtMs = -Infinity;
  let count = 0;
  return (what) => {
    count++;
    if (nowMs() - toldAtMs < everyMs) return;
    toldAtMs = nowMs();
    tell(what, count);
    count = 0;
  };
}
