import { createCalmStage, type CalmStage } from '../calm/index.ts';
import { createCorrelateStage, type CorrelateStage } from '../correlate/index.ts';
import { createDedupStage, type DedupStage } from '../dedup/index.ts';
import { createDispatchStage, type DispatchStage } from '../dispatch/index.ts';
import { Fold } from '../engine/index.ts';
import { createAdmissionStage, createAnswersStage, type AnswersStage } from './answers.ts';
import { createFunnelStage, type FunnelStage } from './funnel.ts';
import { createHistoryStage } from '../history/index.ts';
import { createFlow, type Flow, type LogEntry, type TocsinStageFactory } from '../incident/index.ts';
import { createMuteStage, type MuteStage } from '../mute/index.ts';
import { createRunbookStage, type RunbookStage } from '../runbook/index.ts';
import { createScoreStage, type MatrixScorer, type ScoreStage } from '../score/index.ts';
import { createIntakeStage, type IntakeStage } from '../source/index.ts';
import { createTriageStage, type TriageStage } from '../triage/index.ts';

/** The stages, for reading what they know. */
export interface PipelineStages {
  readonly intake: IntakeStage;
  readonly mute: MuteStage;
  readonly dedup: DedupStage;
  readonly score: ScoreStage;
  readonly correlate: CorrelateStage;
  readonly triage: TriageStage;
  readonly runbook: RunbookStage;
  readonly calm: CalmStage;
  readonly dispatch: DispatchStage;
  readonly funnel: FunnelStage;
  readonly answers: AnswersStage;
}

export interface Pipeline {
  readonly fold: Fold<LogEntry, Flow>;
  readonly stages: PipelineStages;
}

export interface PipelineOptions {
  readonly scorer: MatrixScorer;
  /** Turn the flow into rows for the history. */
  readonly withHistory: boolean;
  /** What ids have in them where there are other partitions, such as `p3-`. */
  readonly scope?: string;
}

const constantLists: ReadonlySet<string> = new Set(['labels', 'annotations', 'signature']);

/** The production fold: the stages in the order in which an alert meets them. */
export function createPipeline({ scorer, withHistory, scope = '' }: PipelineOptions): Pipeline {
  const stages = {} as { -readonly [Name in keyof PipelineStages]: PipelineStages[Name] };
  const order: [string, TocsinStageFactory][] = [
    ['admission', createAdmissionStage],
    ['source', (context) => (stages.intake = createIntakeStage(context))],
    ['mute', (context) => (stages.mute = createMuteStage(context))],
    ['dedup', (context) => (stages.dedup = createDedupStage(context))],
    ['score', (context) => (stages.score = createScoreStage(scorer)(context))],
    ['correlate', (context) => (stages.correlate = createCorrelateStage(context))],
    ['triage', (context) => (stages.triage = createTriageStage(context))],
    ['runbook', (context) => (stages.runbook = createRunbookStage(context))],
    ['calm', (context) => (stages.calm = createCalmStage(context))],
    ['dispatch', (context) => (stages.dispatch = createDispatchStage(context))],
    ['funnel', (context) => (stages.funnel = createFunnelStage(context))],
    ['answers', (context) => (stages.answers = createAnswersStage(context))],
  ];
  if (withHistory) order.push(['history', createHistoryStage]);
  const fold = new Fold<LogEntry, Flow>({ stages: order, scope, createFlow, constantLists });
  return { fold, stages };
}
