import type { AuditRow } from './audit.ts';
import { rowOrder, timeColumn } from './columns.ts';
import type { HistoryDatabase, QueryParameter } from './database.ts';
import {
  alertColumns,
  deliveryColumns,
  incidentColumns,
  linkColumns,
  pageColumns,
  signalColumns,
  verdictColumns,
  type PastAlert,
  type PastDelivery,
  type PastIncident,
  type PastLink,
  type PastPage,
  type PastSignal,
  type PastVerdict,
} from './past.ts';

/** From `fromMs` on and before `toMs`; the newest `limit` rows. */
export interface TimeRange {
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** At most 10,000; 100 when absent. */
  readonly limit?: number | undefined;
}

export interface IncidentFilter extends TimeRange {
  readonly domain?: string | undefined;
  readonly state?: PastIncident['state'] | undefined;
  readonly priority?: PastIncident['priority'] | undefined;
  readonly category?: string | undefined;
  readonly service?: string | undefined;
  /** Words that the title holds, in any case. */
  readonly title?: string | undefined;
}

/** Everything the history knows of one alert: why it paged, or why not. */
export interface PastOfAlert {
  readonly alerts: readonly PastAlert[];
  readonly verdicts: readonly PastVerdict[];
  readonly signals: readonly PastSignal[];
  readonly incidents: readonly PastIncident[];
  readonly pages: readonly PastPage[];
  readonly deliveries: readonly PastDelivery[];
}

/** Everything the history knows of one incident. */
export interface PastOfIncident {
  readonly revisions: readonly PastIncident[];
  readonly signals: readonly PastSignal[];
  readonly links: readonly PastLink[];
  readonly pages: readonly PastPage[];
  readonly deliveries: readonly PastDelivery[];
}

/** What one kind of alert did in one period. */
export interface PastActivity {
  /** Periods since the epoch. */
  readonly period: number;
  readonly domain: string;
  readonly service: string;
  readonly name: string;
  readonly firstMs: number;
  readonly lastMs: number;
  /** Reports that it fires. */
  readonly reports: number;
  readonly fired: number;
  readonly resolved: number;
}

type Parameters = Record<string, QueryParameter>;

/** Reads the history. Every value is bound, none is put into a statement's text. Calls reject as `HistoryDatabase.query`. */
export class HistoryReader {
  readonly #database: HistoryDatabase;

  constructor(database: HistoryDatabase) {
    this.#database = database;
  }

  /** Incidents that were open in the time range, each in its last revision, the last opened first. */
  incidents(filter: IncidentFilter = {}): Promise<readonly PastIncident[]> {
    const { where, parameters } = conditions([
      ['domain = {domain:String}', 'domain', filter.domain],
      ["opened_at < {to:DateTime64(3, 'UTC')}", 'to', timeOf(filter.toMs)],
    ]);
    const last = conditions([
      ["(resolved_at IS NULL OR resolved_at >= {from:DateTime64(3, 'UTC')})", 'from', timeOf(filter.fromMs)],
      ['state = {state:String}', 'state', filter.state],
      ['priority = {priority:String}', 'priority', filter.priority],
      ['category = {category:String}', 'category', filter.category],
      ['has(services, {service:String})', 'service', filter.service],
      ['positionCaseInsensitiveUTF8(title, {title:String}) > 0', 'title', filter.title],
    ]);
    return this.#database.query<PastIncident>(
      `SELECT ${incidentColumns} FROM (
        SELECT * FROM incidents ${where} ORDER BY revision DESC LIMIT 1 BY domain, incident_id
      ) ${last.where} ORDER BY opened_at DESC, incident_id LIMIT {limit:UInt32}`,
      { ...parameters, ...last.parameters, limit: limitOf(filter) },
    );
  }

  /** What each kind of alert did in each period of `periodMs` from `fromMs` on, in the order of time; periods without alerts are left out. */
  activity(fromMs: number, periodMs: number): Promise<readonly PastActivity[]> {
    return this.#database.query<PastActivity>(
      `SELECT intDiv(toUnixTimestamp64Milli(last_at), {period:UInt32}) AS period, domain, service,
         alertname AS name, min(greatest(toUnixTimestamp64Milli(first_at), period * {period:UInt32})) AS firstMs,
         max(toUnixTimestamp64Milli(last_at)) AS lastMs,
         sumIf(count, change IN ('fired', 'repeated', 'updated')) AS reports,
         countIf(change = 'fired') AS fired, countIf(change = 'resolved') AS resolved
       FROM alerts FINAL
       WHERE at >= {from:DateTime64(3, 'UTC')} AND change IN ('fired', 'repeated', 'updated', 'resolved') AND alertname != ''
       GROUP BY period, domain, service, name HAVING reports > 0 ORDER BY period, firstMs, domain, service, name`,
      { from: timeColumn(fromMs), period: periodMs },
    );
  }

  /** All revisions of an incident, the first one first, with its signals, links and pages. */
  async incident(incidentId: string): Promise<PastOfIncident> {
    const [revisions, links, pages] = await Promise.all([
      this.#database.query<PastIncident>(
        `SELECT ${incidentColumns} FROM incidents FINAL WHERE incident_id = {id:String} ORDER BY revision`,
        { id: incidentId },
      ),
      this.#database.query<PastLink>(
        `SELECT ${linkColumns} FROM links FINAL WHERE incident_id = {id:String} ORDER BY at, from_signal_id, to_signal_id`,
        { id: incidentId },
      ),
      this.#database.query<PastPage>(
        `SELECT ${pageColumns} FROM pages FINAL WHERE incident_id = {id:String} ORDER BY at, page_id`,
        { id: incidentId },
      ),
    ]);
    const members = await this.#database.query<{ signalId: string }>(
      `SELECT signal_id AS signalId FROM memberships WHERE incident_id = {id:String}
       GROUP BY signal_id HAVING argMax(change, ${rowOrder}) = 'joined' ORDER BY min(at), signal_id`,
      { id: incidentId },
    );
    const [signals, deliveries] = await Promise.all([
      this.#signals(members.map(({ signalId }) => signalId)),
      this.#deliveries(pages),
    ]);
    return { revisions, signals, links, pages, deliveries };
  }

  /** The rows of one fingerprint and what became of it. */
  async alert(fingerprint: string, range: TimeRange = {}): Promise<PastOfAlert> {
    const newest = (isOfFingerprint: string) => {
      const { where, parameters } = conditions([
        [isOfFingerprint, 'fingerprint', fingerprint],
        ["at >= {from:DateTime64(3, 'UTC')}", 'from', timeOf(range.fromMs)],
        ["at < {to:DateTime64(3, 'UTC')}", 'to', timeOf(range.toMs)],
      ]);
      return {
        clauses: `${where} ORDER BY ${rowOrder} DESC LIMIT {limit:UInt32}`,
        bound: { ...parameters, limit: limitOf(range) },
      };
    };
    const { clauses, bound } = newest('fingerprint = {fingerprint:String}');
    const paged = newest('has(fingerprints, {fingerprint:String})');
    const [alerts, verdicts, pages] = await Promise.all([
      this.#database.query<PastAlert>(`SELECT ${alertColumns} FROM alerts FINAL ${clauses}`, bound),
      this.#database.query<PastVerdict>(`SELECT ${verdictColumns} FROM verdicts FINAL ${clauses}`, bound),
      this.#database.query<PastPage>(`SELECT ${pageColumns} FROM pages FINAL ${paged.clauses}`, paged.bound),
    ]);
    const signalIds = [...new Set(alerts.map(({ signalId }) => signalId).filter((id) => id !== ''))];
    const [signals, incidents, deliveries] = await Promise.all([
      this.#signals(signalIds),
      this.#incidentsOf(signalIds),
      this.#deliveries(pages),
    ]);
    return { alerts, verdicts, signals, incidents, pages, deliveries };
  }

  /** The audit trail of a partition in its order, after `afterSequence`, ready for `verifyAudit`. */
  audit(
    options: { readonly partition?: string; readonly afterSequence?: number; readonly limit?: number } = {},
  ): Promise<readonly AuditRow[]> {
    return this.#database.query<AuditRow>(
      `SELECT row_id, position, toString(at) AS at, sequence, kind, actor, action, subject, body, outcome, code, message,
         previous_hash, hash
       FROM audit FINAL WHERE partition = {partition:String} AND sequence > {after:UInt64}
       ORDER BY sequence, position LIMIT {limit:UInt32}`,
      {
        partition: options.partition ?? '0',
        after: options.afterSequence ?? 0,
        limit: limitOf(options),
      },
    );
  }

  /** The given signals in their last state. */
  async #signals(ids: readonly string[]): Promise<readonly PastSignal[]> {
    if (ids.length === 0) return [];
    return this.#database.query<PastSignal>(
      `SELECT ${signalColumns} FROM (
        SELECT * FROM signals WHERE signal_id IN {ids:Array(String)}
        ORDER BY ${rowOrder} DESC LIMIT 1 BY signal_id
      ) ORDER BY first_at, signal_id`,
      { ids },
    );
  }

  /** The incidents that the signals ever belonged to, in their last revision. */
  async #incidentsOf(signalIds: readonly string[]): Promise<readonly PastIncident[]> {
    if (signalIds.length === 0) return [];
    return this.#database.query<PastIncident>(
      `SELECT ${incidentColumns} FROM (
        SELECT * FROM incidents
        WHERE incident_id IN (SELECT incident_id FROM memberships WHERE signal_id IN {ids:Array(String)})
        ORDER BY revision DESC LIMIT 1 BY domain, incident_id
      ) ORDER BY opened_at, incident_id`,
      { ids: signalIds },
    );
  }

  async #deliveries(pages: readonly PastPage[]): Promise<readonly PastDelivery[]> {
    if (pages.length === 0) return [];
    return this.#database.query<PastDelivery>(
      `SELECT ${deliveryColumns} FROM deliveries FINAL WHERE page_id IN {ids:Array(String)} ORDER BY at, page_id`,
      { ids: pages.map(({ pageId }) => pageId) },
    );
  }
}

/** Joins the conditions whose value is given. */
function conditions(
  all: readonly (readonly [condition: string, name: string, value: QueryParameter | undefined])[],
): { readonly where: string; readonly parameters: Parameters } {
  const given = all.filter(([, , value]) => value !== undefined);
  const parameters = Object.fromEntries(given.map(([, name, value]) => [name, value ?? null]));
  const where = given.length > 0 ? `WHERE ${given.map(([condition]) => condition).join(' AND ')}` : '';
  return { where, parameters };
}

function timeOf(timeMs: number | undefined): string | undefined {
  return timeMs === undefined ? undefined : timeColumn(timeMs);
}

function limitOf({ limit = 100 }: { readonly limit?: number | undefined }): number {
  return Math.min(Math.max(Math.trunc(limit), 1), 10_000);
}
