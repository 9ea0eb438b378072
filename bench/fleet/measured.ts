/** What a part of a benchmark took. */
export interface Measured {
  readonly ms: number;
  /** Of all threads of the process. */
  readonly cpuMs: number;
}

/** Measures from now on; gives what it took until the call. */
export function startWatch(): () => Measured {
  const [beganMs, cpuBefore] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(cpuBefore);
    return { ms: performance.now() - beganMs, cpuMs: (user + system) / 1000 };
  };
}
