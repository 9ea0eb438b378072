import type { Alert, Labels, MatcherText } from '../alert/index.ts';
import type {
  Command,
  CommandAnswer,
  Incident,
  Link,
  SentPage,
  Reason,
  RunbookRun,
  Signal,
  SilenceBody,
  Storm,
} from '../incident/index.ts';

/**
 * What the API reads, as of the last entry that was applied. Questions and answers are plain data, as another process may answer. Where it
 * cannot be reached they reject with a retryable error.
 */
export interface ReadModel {
  /** Alerts that fire now, unordered. */
  alerts(query: AlertQuery): Promise<readonly AlertView[]>;
  /** Aggregation groups as dispatch holds them with those of their alerts that are wanted, unordered; none that is empty. */
  groups(query: AlertQuery): Promise<readonly GroupView[]>;
  receivers(): Promise<readonly string[]>;
  /** Silences that have each of these very matchers, unordered. */
  silences(matchers: readonly MatcherText[]): Promise<readonly SilenceView[]>;
  silence(id: string): Promise<SilenceView | undefined>;
  /** The most urgent first. */
  incidents(query: IncidentQuery): Promise<readonly Incident[]>;
  /** The incident with what it consists of, or undefined when it is unknown. */
  incident(id: string): Promise<IncidentDetail | undefined>;
  run(id: string): Promise<RunbookRun | undefined>;
  /** Storms that go on, and those of the last day, the last one first. */
  storms(): Promise<readonly Storm[]>;
  /** Everything that is known of a fingerprint, a signal or an incident, as plain data; undefined when unknown. */
  explain(id: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  funnel(): Promise<Funnel>;
  /** The models by which surprise is judged, of each partition. */
  models(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** How each integration of each receiver takes its pages. */
  integrations(): Promise<readonly IntegrationState[]>;
}

/** Alerts that match all of it. */
export interface AlertQuery {
  /** Those that are not muted too. */
  readonly active: boolean;
  /** Those that are silenced too. */
  readonly silenced: boolean;
  /** Those that are inhibited too. */
  readonly inhibited: boolean;
  readonly matchers: readonly MatcherText[];
  /** An anchored regular expression, which compiles, over the names of receivers; empty for all. */
  readonly receiver: string;
}

export interface IncidentQuery {
  readonly state: Incident['state'] | 'unresolved' | 'all';
  readonly domain?: string | undefined;
  readonly limit: number;
}

export interface AlertView {
  readonly alert: Alert;
  readonly silencedBy: readonly string[];
  readonly inhibitedBy: readonly string[];
  /** In the order of the route tree; one that two routes name is there twice. */
  readonly receivers: readonly string[];
}

export interface GroupView {
  readonly labels: Labels;
  readonly receiver: string;
  readonly alerts: readonly AlertView[];
}

export interface SilenceView {
  readonly silence: SilenceBody;
  readonly state: 'pending' | 'active' | 'expired';
  readonly updatedAtMs: number;
}

/** A signal as people see it. */
export type SignalView = Omit<Signal, 'signature'>;

export interface IncidentDetail {
  readonly incident: Incident;
  readonly signals: readonly SignalView[];
  readonly links: readonly Link[];
  readonly pages: readonly SentPage[];
  /** What keeps its pages back, and for which others they stand. */
  readonly calm: readonly Reason[];
  readonly runbooks: readonly { readonly name: string; readonly description: string }[];
  readonly runs: readonly RunbookRun[];
}

/** What came in and what is left of it, since the log began. Each count is of distinct things. */
export interface Funnel {
  readonly alerts: number;
  readonly signals: number;
  readonly incidents: number;
  readonly pages: number;
}

/** Takes reports in. Resolves once they are durable, or were refused. */
export interface Ingest {
  accept(report: {
    readonly format: string;
    readonly domain?: string | undefined;
    readonly body: Uint8Array;
  }): Promise<IngestOutcome>;
}

export type IngestOutcome =
  | {
      readonly status: 'accepted';
      readonly acceptedCount: number;
      readonly errors: readonly string[];
      readonly reply?: unknown;
    }
  /** Could not be made durable, or the pipeline is too far behind: the sender should come again. */
  | {
      readonly status: 'unavailable';
      readonly code: string;
      readonly message: string;
      readonly retryAfterSeconds: number;
    };

/** Puts a command into the log and answers once it has been applied, so that its caller reads its own write. */
export interface CommandGate {
  submit(command: Command): Promise<CommandAnswer>;
}

/** The process around the API. */
export interface Operations {
  readonly version: string;
  /** The release of Alertmanager that the API stands for; null where it only speaks for itself. amtool warns when it is another than its own. */
  readonly alertmanagerVersion: string | null;
  readonly startedAtMs: number;
  cluster(): ClusterView;
  /** The configuration in force as YAML, without secrets. */
  configText(): string;
  readiness(): Readiness;
  /** Loads the configuration file again. Lists what is wrong with it when it was refused. */
  reload(): Promise<{ readonly ok: true } | { readonly ok: false; readonly errors: readonly string[] }>;
  /** Prometheus text format. */
  metrics(): Promise<string>;
  nowMs(): number;
}

/** Whether the process does what others send it requests for, and what it lacks at the moment. */
export interface Readiness {
  /** False where requests are better sent elsewhere, or whoever restarts processes had better wait. */
  readonly isReady: boolean;
  /** What does not work as it should. A process may be ready in spite of it: it does its work, but an operator should look. */
  readonly troubles: readonly Trouble[];
}

export interface Trouble {
  readonly code: string;
  readonly message: string;
}

export interface IntegrationState {
  readonly receiver: string;
  readonly integration: string;
  /** `open`: it does not take pages, which wait; `half-open`: it is being tried again. */
  readonly state: 'closed' | 'open' | 'half-open';
  readonly sinceMs: number;
  readonly waitingCount: number;
  readonly deliveredCount: number;
  readonly failedCount: number;
  readonly lastError: string | null;
}

/** This process as a member of a cluster. */
export interface ClusterView {
  readonly name?: string;
  readonly status: 'ready' | 'settling' | 'disabled';
  readonly peers: readonly { readonly name: string; readonly address: string }[];
}

export interface ApiPorts {
  readonly read: ReadModel;
  readonly ingest: Ingest;
  readonly commands: CommandGate;
  readonly operations: Operations;
}
