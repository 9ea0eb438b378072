import type { Table } from '../engine/index.ts';
import { commandOf, type Command, type CommandAnswer, type TocsinFrame } from '../incident/index.ts';
import { canonicalJson, chainHash, sha256, type AuditContent } from './audit.ts';
import { timeColumn } from './columns.ts';
import type { RowEmitter } from './row-emitter.ts';

/** The end of the audit chain so far. */
export interface ChainHead {
  readonly sequence: number;
  readonly hash: string;
}

type Finding = Pick<
  AuditContent,
  'kind' | 'actor' | 'action' | 'subject' | 'body' | 'outcome' | 'code' | 'message'
>;

/** Rows of table `audit`: each command with its answer, each configuration put in force, each effect that failed. */
export class AuditProjection {
  readonly #heads: Table<ChainHead>;
  readonly #rows: RowEmitter;

  constructor(options: { readonly heads: Table<ChainHead>; readonly rows: RowEmitter }) {
    this.#heads = options.heads;
    this.#rows = options.rows;
  }

  onFrame(frame: TocsinFrame): void {
    const { entry, flow } = frame;
    const command = commandOf(frame);
    if (command) this.#append(frame, describeCommand(command, flow.answer));
    else if (entry?.kind === 'config') this.#append(frame, describeConfig(entry.payload));
    else if (entry?.kind === 'fact' && entry.payload.outcome.status === 'failed') {
      const { effectId, kind, outcome } = entry.payload;
      this.#append(frame, {
        kind: 'effect',
        actor: '',
        action: kind,
        subject: effectId,
        body: '',
        outcome: 'failed',
        code: outcome.code,
        message: outcome.message,
      });
    }
  }

  #append({ position, timeMs }: TocsinFrame, finding: Finding): void {
    const head = this.#heads.get('audit') ?? { sequence: 0, hash: '' };
    const content: AuditContent = {
      row_id: this.#rows.peekId(),
      position,
      at: timeColumn(timeMs),
      sequence: head.sequence + 1,
      kind: finding.kind,
      actor: finding.actor.toWellFormed(),
      action: finding.action.toWellFormed(),
      subject: finding.subject.toWellFormed(),
      body: finding.body.toWellFormed(),
      outcome: finding.outcome,
      code: finding.code.toWellFormed(),
      message: finding.message.toWellFormed(),
    };
    const hash = chainHash(head.hash, content);
    const { row_id: _id, position: _position, at: _at, ...row } = content;
    this.#rows.push('audit', { ...row, previous_hash: head.hash, hash });
    this.#heads.set('audit', { sequence: content.sequence, hash });
  }
}

function describeCommand(command: Command, answer: CommandAnswer | null): Finding {
  return {
    kind: 'command',
    actor: command.by,
    action: command.kind,
    subject: command.id,
    body: canonicalJson(command.body),
    outcome: answer?.status ?? 'unanswered',
    code: answer?.status === 'refused' ? answer.code : '',
    message: answer?.status === 'refused' ? answer.message : '',
  };
}

/** The configuration itself is not kept, as it may name secrets; its hash tells one from another. */
function describeConfig(config: Readonly<Record<string, unknown>>): Finding {
  return {
    kind: 'config',
    actor: '',
    action: 'activate',
    subject: sha256(canonicalJson(config)),
    body: '',
    outcome: 'done',
    code: '',
    message: '',
  };
}
