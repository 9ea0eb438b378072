import { simulate, type Run } from './simulate.ts';
import type { WorldOptions } from './world.ts';

/**
 * Looks for a smaller run that goes wrong in the same way: fewer kinds of faults, fewer reports, fewer machines, less time. Each is tried
 * once, the ones after it upon what is left. Costs some thirty runs.
 */
export async function shrink(failed: Run): Promise<Run> {
  const wrong = kindOf(failed);
  let smallest = failed;
  const attempt = async (overrides: Partial<WorldOptions>): Promise<boolean> => {
    const run = await simulate({ ...smallest.options, ...overrides });
    if (kindOf(run) !== wrong) return false;
    smallest = run;
    return true;
  };
  for (const kind of failed.options.faults) {
    const faults = new Set(smallest.options.faults);
    faults.delete(kind);
    await attempt({ faults });
  }
  while (smallest.options.reportCount > 1) {
    if (!(await attempt({ reportCount: smallest.options.reportCount >> 1 }))) break;
  }
  for (const gatewayCount of [1, 2])
    if (gatewayCount < smallest.options.gatewayCount) await attempt({ gatewayCount });
  for (const ownerCount of [1, 2])
    if (ownerCount < smallest.options.ownerCount) await attempt({ ownerCount });
  while (smallest.options.faultyMs > 5000) {
    if (!(await attempt({ faultyMs: smallest.options.faultyMs / 2 }))) break;
  }
  return smallest;
}

/** The invariant that was broken first, such as `order`. */
function kindOf({ violations }: Run): string | undefined {
  return violations[0]?.split(':')[0];
}
