/** One execution of a runbook: a snapshot of the steps as they were when it started. Never changed in place. */
export interface RunbookRun {
  readonly id: string;
  readonly runbook: string;
  /** Fingerprint of the runbook's text when the run started. */
  readonly runbookHash: string;
  readonly incidentId: string;
  readonly startedBy: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  /** `done` when every step is; `failed` by a step; `rejected` by a person; `cancelled` because the incident was over. */
  readonly state: 'running' | 'done' | 'failed' | 'rejected' | 'cancelled';
  /** Why it ended as it did, for people; empty while it goes on. */
  readonly endedBecause: string;
  readonly steps: readonly RunbookStep[];
}

export interface RunbookStep {
  readonly name: string;
  readonly kind: 'manual' | 'http';
  /** What a person is to do, or the request in one line. */
  readonly instruction: string;
  /** Exactly what is sent, known before anybody approves it; null for a manual step. */
  readonly request: RunbookRequest | null;
  readonly needsApproval: boolean;
  readonly state:
    | 'pending'
    | 'awaiting_approval'
    | 'awaiting_person'
    | 'running'
    | 'done'
    | 'failed'
    | 'rejected';
  readonly approvedBy: string | null;
  readonly approvedAtMs: number | null;
  readonly endedAtMs: number | null;
  /** How it ended: the answer's status, the comment of a person, or what went wrong. */
  readonly outcome: string;
  /** What the request was answered with, its body cut to 4 KiB. */
  readonly response: { readonly status: number; readonly body: string } | null;
}

export interface RunbookRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
