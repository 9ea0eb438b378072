import type { Alert } from '../alert/index.ts';
import type { Claim, Entry, Fact, Frame, Ownership, Stage, StageFactory } from '../engine/index.ts';
import type { Command, CommandAnswer } from './command.ts';
import type { Candidate, Incident, Link } from './incident.ts';
import type { Reason } from './reason.ts';
import type { RunbookRun } from './runbook.ts';
import type { Signal } from './signal.ts';
import type { Cover, Hold, StormChange } from './storm.ts';

export type AlertsEntry = Entry<'alerts', readonly Alert[]>;
export type CommandEntry = Entry<'command', Command>;
export type ClaimEntry = Entry<'claim', Claim>;
export type FactEntry = Entry<'fact', Fact>;
export type OwnerEntry = Entry<'owner', Ownership>;
/** The whole checked configuration; each stage reads its own section. */
export type ConfigEntry = Entry<'config', Readonly<Record<string, unknown>>>;
export type TickEntry = Entry<'tick', null>;
/** Nobody followed the log from this entry's time to `atMs`. */
export type ResumeEntry = Entry<'resume', { readonly atMs: number }>;

/** An entry of Tocsin's log. */
export type LogEntry =
  | AlertsEntry
  | CommandEntry
  | ClaimEntry
  | FactEntry
  | ConfigEntry
  | TickEntry
  | ResumeEntry
  | OwnerEntry;

/**
 * What the stages say about one moment, in the order in which they run. A stage fills its own fields (by replacing the
 * array) and reads those above them. Within one frame an earlier element happened before a later one.
 */
export interface Flow {
  /** `source`: what each report (or an expiry) does to the alert of its fingerprint. */
  alertChanges: readonly AlertChange[];
  /** `mute`: the verdict on each alert that fired, and each that changed since; after its alert's end only `muted: false` is told. */
  verdictChanges: readonly VerdictChange[];
  /** `dedup`: into which signal each element of `alertChanges` went; same length and order. */
  sightings: readonly Sighting[];
  /** `dedup`: signals that opened, changed in a way that matters, or closed. */
  signalChanges: readonly SignalChange[];
  /** `score`: how surprising the changed signals are. */
  scores: readonly SignalScore[];
  /** `correlate`: candidates that changed. */
  candidateChanges: readonly CandidateChange[];
  /** `triage`: incidents with a new revision. */
  incidents: readonly Incident[];
  /** `runbook`: runs that changed. */
  runs: readonly RunbookRun[];
  /** `calm`: storms that began, go on or ended. */
  stormChanges: readonly StormChange[];
  /** `calm`: incidents for which another one stands from now on, or none any more. */
  covers: readonly Cover[];
  /** `calm`: incidents whose first page has time, or has not any more. */
  holds: readonly Hold[];
  /** `dispatch`: pages that leave in this moment. */
  pages: readonly Page[];
  /** The frame's command was applied before, under the same id: it does nothing now. */
  isRepeated: boolean;
  /** Set by the stage that answers the frame's command. */
  answer: CommandAnswer | null;
}

export function createFlow(): Flow {
  return {
    alertChanges: none,
    verdictChanges: none,
    sightings: none,
    signalChanges: none,
    scores: none,
    candidateChanges: none,
    incidents: none,
    runs: none,
    stormChanges: none,
    covers: none,
    holds: none,
    pages: none,
    isRepeated: false,
    answer: null,
  };
}

const none: readonly never[] = Object.freeze([]);

export type TocsinFrame = Frame<LogEntry, Flow>;

/** The command that the frame asks to be carried out; null where there is none, or it was before. */
export function commandOf({ entry, flow }: TocsinFrame): Command | null {
  return entry?.kind === 'command' && !flow.isRepeated ? entry.payload : null;
}

export type TocsinStage = Stage<LogEntry, Flow>;
export type TocsinStageFactory = StageFactory<LogEntry, Flow>;

/**
 * - `fired`: a new fingerprint, or one that had resolved, fires.
 * - `repeated`: it still fires and nothing changed but how long that holds. By far the most common; keep it cheap.
 * - `updated`: it still fires, with other annotations, another begin or another generator.
 * - `resolved`: its sender says that it has resolved.
 * - `expired`: nobody has repeated it before its `endsAtMs`. `index` is -1.
 * - `ignored`: a resolve of what does not fire. Where it has resolved before, the alert is merged with what is said of its end now.
 */
export interface AlertChange {
  readonly change: 'fired' | 'repeated' | 'updated' | 'resolved' | 'expired' | 'ignored';
  /** The alert as it stands after the change, merged with what was known of its fingerprint. */
  readonly alert: Alert;
  /** Index of the report in the frame's entry; -1 when a timer caused the change, or a report that counts for another alert of its key. */
  readonly index: number;
}

export type Verdict =
  | { readonly muted: false }
  | {
      readonly muted: true;
      /** Ids of the silences that match. */
      readonly silencedBy: readonly string[];
      /** Fingerprints of the alerts that inhibit it. */
      readonly inhibitedBy: readonly string[];
    };

export interface VerdictChange {
  readonly fingerprint: string;
  readonly verdict: Verdict;
}

export interface Sighting {
  readonly fingerprint: string;
  /** Null when the change was `ignored`. */
  readonly signalId: string | null;
  readonly how: 'exact' | 'key' | 'similar' | 'new' | 'ignored';
  /** Estimated similarity to the signal, 0..1; 1 for `exact`, `key` and `new`. */
  readonly similarity: number;
  /** Of `similar`: the words and labels in which the alert differs from the signal's first one, for people. */
  readonly differing?: string;
}

/** `signal` is a copy that later stages may keep. */
export interface SignalChange {
  readonly change: 'opened' | 'reopened' | 'grown' | 'escalated' | 'flapping' | 'steady' | 'resolved';
  readonly signal: Signal;
  readonly reasons: readonly Reason[];
}

export interface SignalScore {
  readonly signalId: string;
  /** 0..1 against what is usual; null while `state` is `learning`. */
  readonly surprise: number | null;
  readonly state: 'learning' | 'scored';
  readonly reasons: readonly Reason[];
}

/** `candidate` is a copy; `links` only those that are new. */
export interface CandidateChange {
  readonly change: 'opened' | 'joined' | 'updated' | 'merged' | 'split' | 'resolved' | 'reopened';
  readonly candidate: Candidate;
  readonly links: readonly Link[];
}

/** What a person gets. `id` is `<group or incident>/<revision>/<receiver>`, with which the ids of the effects that send it begin. */
export interface Page {
  readonly id: string;
  readonly receiver: string;
  readonly groupKey: string;
  /** The incident that the group stands for, when its route groups by `incident`. */
  readonly incidentId: string | null;
  readonly status: 'firing' | 'resolved';
  readonly reason: string;
  readonly fingerprints: readonly string[];
  readonly atMs: number;
}

/** A page, and how telling each of its integrations ended. Those that are not named here are still being told. */
export interface SentPage extends Page {
  readonly deliveries: readonly {
    /** Empty where the receiver has none. */
    readonly integration: string;
    /** `unknown`: the process ended while it was sent; it is sent again unless the configuration says otherwise. */
    readonly status: 'delivered' | 'failed' | 'unknown';
    /** Of the failure; null where there is none. */
    readonly code: string | null;
    readonly atMs: number;
  }[];
}
