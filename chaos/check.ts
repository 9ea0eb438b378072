/** What one check has counted and found wrong. */
export interface Check {
  readonly title: string;
  readonly counts: readonly (readonly [what: string, count: number | string])[];
  readonly violations: readonly string[];
}
