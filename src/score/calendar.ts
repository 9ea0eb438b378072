const hourMs = 3_600_000;

/** Hours since the epoch. */
export function hourOf(timeMs: number): number {
  return Math.floor(timeMs / hourMs);
}

/** 0 for Monday 00:00 UTC to 167 for Sunday 23:00, of an hour since the epoch (which began on a Thursday). */
export function hourOfWeek(hour: number): number {
  return (((hour + 72) % 168) + 168) % 168;
}
