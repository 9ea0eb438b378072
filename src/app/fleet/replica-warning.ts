/** Versions in which replicas were seen to lose entries: 2.9.10 and 2.10.27. 2.15.1 was not. */
const lastSeenToLose = [2, 10] as const;

/** What to warn of where the log is kept by several NATS servers of this version; null for nothing. */
export function replicaWarning(replicas: number, version: string | undefined): string | null {
  const [major, minor] = (version ?? '').split('.').map(Number);
  if (replicas === 1 || major === undefined || minor === undefined) return null;
  if (major > lastSeenToLose[0] || (major === lastSeenToLose[0] && minor > lastSeenToLose[1])) return null;
  return (
    `fleet.log.replicas is ${replicas}, and the NATS server is ${version}: up to ${lastSeenToLose.join('.')} the replicas of a stream may lose entries ` +
    'that were acknowledged, when the server that leads it stands still and goes on. Run a newer one.'
  );
}
