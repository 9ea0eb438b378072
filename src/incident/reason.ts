/**
 * Why Tocsin decided as it did, for the person who reads the page.
 * `text` is a short sentence part with its numbers in it (`similar text 0.83 to DiskWillFill`, `first seen in 63 days`).
 */
export interface Reason {
  /** The stage that says so. */
  readonly stage: 'mute' | 'dedup' | 'score' | 'correlate' | 'triage' | 'dispatch' | 'runbook' | 'calm';
  /** A closed word of that stage, `snake_case`, such as `similar_text` or `service_tier`. */
  readonly code: string;
  readonly text: string;
  /** How much it weighed, in the stage's own unit (similarity, log-odds, points); absent when it decided alone. */
  readonly weight?: number;
}
