import type { MatcherText } from '../alert/index.ts';

/** An operator's act. `id` is unique and makes a second sending harmless; `by` names the person or the tool. */
export interface CommandOf<Kind extends string, Body> {
  readonly id: string;
  readonly kind: Kind;
  readonly by: string;
  readonly body: Body;
}

export interface SilenceBody {
  readonly id: string;
  readonly matchers: readonly MatcherText[];
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly createdBy: string;
  readonly comment: string;
}

/** The files of a trained model, word for word. */
export interface ModelBody {
  readonly modelText: string;
  readonly manifestText: string;
}

export type Command =
  /** Creates the silence, or replaces the one of the same id. */
  | CommandOf<'silence.set', SilenceBody>
  | CommandOf<'silence.expire', { readonly silenceId: string }>
  | CommandOf<'incident.acknowledge', { readonly incidentId: string; readonly comment: string }>
  | CommandOf<'incident.resolve', { readonly incidentId: string; readonly comment: string }>
  /** Moves all signals of `fromIds` into `intoId`. */
  | CommandOf<'incident.merge', { readonly intoId: string; readonly fromIds: readonly string[] }>
  /** Takes `signalIds` out of `incidentId` into a new incident. */
  | CommandOf<'incident.split', { readonly incidentId: string; readonly signalIds: readonly string[] }>
  /** Takes back the merge or split that the command `commandId` made. */
  | CommandOf<'incident.undo', { readonly commandId: string }>
  /** Puts a model in force, whatever the configuration names; null goes back to what that names. */
  | CommandOf<'model.activate', { readonly model: ModelBody | null }>
  /** Lets a model score beside the one in force without deciding anything; null ends that. */
  | CommandOf<'model.shadow', { readonly model: ModelBody | null }>
  | CommandOf<'runbook.start', { readonly incidentId: string; readonly runbook: string }>
  /** Lets the step that waits for approval go on. */
  | CommandOf<'runbook.approve', { readonly runId: string; readonly step: number }>
  /** Refuses the step that waits for approval; the run ends. */
  | CommandOf<'runbook.reject', { readonly runId: string; readonly step: number; readonly comment: string }>
  /** Says how a manual step ended. */
  | CommandOf<
      'runbook.finish-step',
      { readonly runId: string; readonly step: number; readonly isDone: boolean; readonly comment: string }
    >;

export type CommandKind = Command['kind'];

/** What the caller of a command gets once it has been applied. */
export type CommandAnswer =
  | { readonly status: 'done'; readonly result: Readonly<Record<string, unknown>> }
  | {
      readonly status: 'refused';
      readonly code: 'not_found' | 'invalid' | 'conflict';
      readonly message: string;
    };
