import type { Alert } from '../alert/index.ts';
import { readAlertLines, type LineContext } from '../source/index.ts';

/** All alerts of a recording, in the order in which they were received. */
export interface Recording {
  readonly alerts: readonly Alert[];
  /** `indices[i]` is the place of `alerts[i]` in the input, among those that could be read, counted from 0. */
  readonly indices: Uint32Array;
  /** Alerts that the input held later than others that were received after them. */
  readonly lateCount: number;
  readonly badLineCount: number;
}

export interface RecordingWatcher {
  readonly onBadLine: (line: number, message: string) => void;
  readonly onProgress: (bytesRead: number) => void;
}

/**
 * Reads a whole recording and puts it into the order of time, keeping the order of what was received at once: files that are several
 * recordings one after the other are common. Equal label sets are kept once, so that a repeat costs about 150 bytes.
 */
export async function readRecording(
  file: string,
  context: LineContext,
  watcher: RecordingWatcher,
): Promise<Recording> {
  const alerts: Alert[] = [];
  const known = new Map<string, Alert>();
  let badLineCount = 0;
  let lateCount = 0;
  let latestMs = -Infinity;
  for await (const lines of readAlertLines(file, context)) {
    for (const { line, message } of lines.errors) watcher.onBadLine(line, message);
    badLineCount += lines.errors.length;
    for (const alert of lines.alerts) {
      if (alert.receivedAtMs < latestMs) lateCount++;
      else latestMs = alert.receivedAtMs;
      const before = known.get(alert.fingerprint);
      if (before)
        alerts.push({ ...alert, labels: before.labels, annotations: sharedAnnotations(before, alert) });
      else {
        known.set(alert.fingerprint, alert);
        alerts.push(alert);
      }
    }
    watcher.onProgress(lines.bytesRead);
  }
  const indices = Uint32Array.from(alerts, (_, index) => index);
  if (lateCount === 0) return { alerts, indices, lateCount, badLineCount };
  indices.sort((a, b) => alerts[a]!.receivedAtMs - alerts[b]!.receivedAtMs || a - b);
  return { alerts: Array.from(indices, (index) => alerts[index]!), indices, lateCount, badLineCount };
}

function sharedAnnotations(before: Alert, alert: Alert): Alert['annotations'] {
  const isSame =
    before.annotations.length === alert.annotations.length &&
    before.annotations.every((text, index) => text === alert.annotations[index]);
  return isSame ? before.annotations : alert.annotations;
}
