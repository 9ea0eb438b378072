import type { Alert } from '../alert/index.ts';
import { parseJson, type DecodeContext, type DecodeResult } from './decode.ts';
import { ObjectScan, type Span } from './object-scan.ts';
import { fillTimes, type ReportOutcome } from './report.ts';
import { parseTime } from './time.ts';

/** An alert as it was read, and the bytes that it was read from. */
interface KnownAlert {
  readonly scope: number;
  readonly hash: number;
  /** The object. What stands where it says its times is of the report that was read last. */
  readonly bytes: Buffer;
  readonly startsAt: KnownTime;
  readonly endsAt: KnownTime;
  readonly alert: Alert;
  /** What came behind it last time. */
  next: KnownAlert | null;
  /** Was used since another alert wanted its place. */
  isUsed: boolean;
  isKept: boolean;
}

/** A time that the bytes say from `start` to `end`; nowhere when `start` is -1. Null is a time that is not said. */
interface KnownTime extends Readonly<Span> {
  timeMs: number | null;
}

/** Reads an object that was parsed: an item of a list by its index, or (null) all that there is. Null where it must not stand alone. */
export type ReadItem = (item: unknown, index: number | null, context: DecodeContext) => ReadOutcome | null;

/** Of what `isRepeatable`, only its times may depend on anything but its own bytes and the domain. */
export interface ReadOutcome {
  readonly report: ReportOutcome;
  readonly isRepeatable: boolean;
}

export interface KnownAlertsLimits {
  /** Alerts that are kept; a power of two. */
  readonly count: number;
  /** Their bytes in all. */
  readonly bytes: number;
  /** What is longer is not kept. */
  readonly bytesEach: number;
}

const defaultLimits: KnownAlertsLimits = { count: 65_536, bytes: 32 * 1024 * 1024, bytesEach: 4096 };
/** Domains that are told apart before all is forgotten. */
const maxScopes = 256;

/**
 * Reads alerts most of which say what was said before, but for their times: what has the same bytes is not parsed, sorted and hashed
 * again. Looks first for what came next the last time, then by a hash of the bytes; and compares all bytes in either case, so that what
 * it gives is what reading everything would have given. Labels and annotations are shared by what repeats.
 *
 * What it keeps is bounded. What was used keeps its place against the first that wants it, so that more alerts in turn than fit do not
 * drive each other out.
 */
export class KnownAlerts {
  readonly #read: ReadItem;
  readonly #limits: KnownAlertsLimits;
  readonly #scan = new ObjectScan();
  readonly #scopes = new Map<string, number>();
  #places: (KnownAlert | undefined)[] = [];
  /** Hashes of what had to be read, in pairs of places: the later one first. */
  #seen = new Uint32Array(0);
  #byteCount = 0;
  #scope = 0;
  /** What was read last of the body that is being read, and where it ends. */
  #last: KnownAlert | null = null;
  #end = 0;
  /** Where in this body the time stands that was parsed last, and what it says. */
  #timeStart = -1;
  #timeEnd = -1;
  #timeMs: number | null = null;

  constructor(read: ReadItem, limits = defaultLimits) {
    this.#read = read;
    this.#limits = limits;
  }

  /**
   * Reads `[{...}, ...]`, or `{...}` alone. Null where the bytes are neither: they want to be parsed as a whole, which also says what is
   * wrong with them.
   */
  read(body: Uint8Array, context: DecodeContext): DecodeResult | null {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
    this.#scope = this.#scopeOf(context);
    this.#last = null;
    this.#timeStart = this.#timeEnd = -1;
    const alerts: Alert[] = [];
    const errors: string[] = [];
    const add = (report: ReportOutcome): void => {
      if (report.ok) alerts.push(report.alert);
      else errors.push(report.error);
    };
    let at = skipSpace(bytes, 0);
    if (bytes[at] === openObject) {
      const report = this.#readObject(bytes, at, null, context);
      if (!report || skipSpace(bytes, this.#end) !== bytes.length) return null;
      add(report);
      return { alerts, errors };
    }
    if (bytes[at] !== openList) return null;
    at = skipSpace(bytes, at + 1);
    for (let index = 0; bytes[at] === openObject; index++) {
      const report = this.#readObject(bytes, at, index, context);
      if (!report) return null;
      add(report);
      at = skipSpace(bytes, this.#end);
      if (bytes[at] !== comma) break;
      at = skipSpace(bytes, at + 1);
      if (bytes[at] !== openObject) return null;
    }
    if (bytes[at] !== closeList || skipSpace(bytes, at + 1) !== bytes.length) return null;
    return { alerts, errors };
  }

  /** Reads the object at `at`; null when it is no JSON. */
  #readObject(bytes: Buffer, at: number, index: number | null, context: DecodeContext): ReportOutcome | null {
    const before = this.#last;
    let known = before?.next ?? null;
    let alert = known && this.#repeated(known, bytes, at, context);
    if (!alert) {
      if (!this.#scan.scan(bytes, at)) return null;
      known = this.#find();
      alert = known && this.#repeated(known, bytes, at, context);
    }
    if (known && alert) {
      if (before) before.next = known;
      this.#last = known;
      this.#end = at + known.bytes.length;
      return { ok: true, alert };
    }
    this.#end = this.#scan.end;
    const item = parse(bytes.subarray(at, this.#end));
    if (item === undefined) return null;
    const outcome = this.#read(item, index, context);
    if (!outcome) return null;
    const { report, isRepeatable } = outcome;
    this.#last = report.ok && isRepeatable ? this.#keep(bytes, at, report.alert) : null;
    if (before) before.next = this.#last;
    return report;
  }

  /** The alert that the bytes at `at` say when they are those of `known` but for the times; else null. */
  #repeated(known: KnownAlert, bytes: Buffer, at: number, context: DecodeContext): Alert | null {
    const end = at + known.bytes.length;
    if (!known.isKept || known.scope !== this.#scope || end > bytes.length) return null;
    if (!this.#takeTime(known.startsAt, known.bytes, bytes, at)) return null;
    if (!this.#takeTime(known.endsAt, known.bytes, bytes, at)) return null;
    if (known.bytes.compare(bytes, at, end) !== 0) return null;
    const times = fillTimes(known.startsAt.timeMs, known.endsAt.timeMs, context);
    if (!times) return null;
    known.isUsed = true;
    const { startsAtMs, endsAtMs, endsByTimeout } = times;
    return { ...known.alert, startsAtMs, endsAtMs, endsByTimeout, receivedAtMs: context.nowMs };
  }

  /** Puts what the object at `at` says as the time into the known bytes; false where it says no time there. */
  #takeTime(time: KnownTime, known: Buffer, bytes: Buffer, at: number): boolean {
    const { start, end } = time;
    if (start < 0) return true;
    const from = at + start;
    if (isSame(known, start, end, bytes, from)) return true;
    const to = at + end;
    if (this.#timeEnd - this.#timeStart !== end - start || !isSame(bytes, from, to, bytes, this.#timeStart)) {
      const timeMs = parseTime(bytes.toString('latin1', from, to));
      if (Number.isNaN(timeMs)) return false;
      this.#timeStart = from;
      this.#timeEnd = to;
      this.#timeMs = timeMs;
    }
    for (let i = start; i < end; i++) known[i] = bytes[at + i]!;
    time.timeMs = this.#timeMs;
    return true;
  }

  /** What was kept of the hash that was just scanned. */
  #find(): KnownAlert | null {
    const first = this.#firstPlace();
    for (let place = first; place < first + placesEach; place++) {
      const known = this.#places[place];
      if (known?.hash === this.#scan.hash && known.scope === this.#scope) return known;
    }
    return null;
  }

  /** Keeps what was just scanned; null where it cannot or need not be. */
  #keep(bytes: Buffer, at: number, alert: Alert): KnownAlert | null {
    const { isPlain, hash, end, startsAt, endsAt } = this.#scan;
    const length = end - at;
    // What was never seen before may never be seen again, and is not worth a copy.
    if (!isPlain || length > this.#limits.bytesEach || !this.#wasSeen(hash)) return null;
    const place = this.#freePlace();
    const old = this.#places[place];
    if (old?.isUsed) {
      old.isUsed = false;
      return null;
    }
    const byteCount = this.#byteCount + length - (old?.bytes.length ?? 0);
    if (byteCount > this.#limits.bytes) return null;
    if (old) forget(old);
    const known: KnownAlert = {
      scope: this.#scope,
      hash,
      bytes: Buffer.from(bytes.subarray(at, end)),
      startsAt: timeIn(bytes, startsAt, at),
      endsAt: timeIn(bytes, endsAt, at),
      alert,
      next: null,
      isUsed: false,
      isKept: true,
    };
    this.#byteCount = byteCount;
    this.#places[place] = known;
    return known;
  }

  /** Notes the hash, and says whether it was noted before and not yet driven out. */
  #wasSeen(hash: number): boolean {
    if (this.#seen.length === 0) this.#seen = new Uint32Array(this.#limits.count * seenEach);
    const first = (hash % this.#seen.length) & ~1;
    if (this.#seen[first] === hash || this.#seen[first + 1] === hash) return true;
    this.#seen[first + 1] = this.#seen[first]!;
    this.#seen[first] = hash;
    return false;
  }

  /** The place for what was just scanned: a free one, or else one that is not used, or else any. */
  #freePlace(): number {
    if (this.#places.length === 0) this.#places = Array.from({ length: this.#limits.count });
    const first = this.#firstPlace();
    let found = first + (this.#scan.hash >>> 30);
    for (let place = first; place < first + placesEach; place++) {
      const known = this.#places[place];
      if (!known) return place;
      if (!known.isUsed) found = place;
    }
    return found;
  }

  #firstPlace(): number {
    return (this.#scan.hash ^ Math.imul(this.#scope, scopePrime)) & (this.#limits.count - placesEach);
  }

  /** A number for what an alert depends on beside its bytes. */
  #scopeOf({ defaultDomain, domainLabel }: DecodeContext): number {
    const key = JSON.stringify([defaultDomain, domainLabel]);
    const scope = this.#scopes.get(key);
    if (scope !== undefined) return scope;
    if (this.#scopes.size === maxScopes) {
      for (const known of this.#places) if (known) forget(known);
      this.#places = [];
      this.#byteCount = 0;
      this.#scopes.clear();
    }
    this.#scopes.set(key, this.#scopes.size);
    return this.#scopes.size - 1;
  }
}

/** What has lost its place keeps nothing else from being collected, and is not used where something points at it still. */
function forget(known: KnownAlert): void {
  known.isKept = false;
  known.next = null;
}

/** The time that a scan found in an object that begins at `origin`. One that is empty says nothing, as bytes of their own kind. */
function timeIn(bytes: Buffer, { start, end }: Span, origin: number): KnownTime {
  if (start < 0 || start === end) return { start: -1, end: -1, timeMs: null };
  return {
    start: start - origin,
    end: end - origin,
    timeMs: parseTime(bytes.toString('latin1', start, end)),
  };
}

/** Where an alert may stand. */
const placesEach = 4;
/** Hashes that are noted for each alert that can be kept. */
const seenEach = 4;
const scopePrime = 0x9e3779b1;
const openList = 0x5b;
const closeList = 0x5d;
const openObject = 0x7b;
const comma = 0x2c;

function parse(bytes: Buffer): unknown {
  const json = parseJson(bytes);
  return json.ok ? json.value : undefined;
}

/** The offset of the next byte that is no space of JSON. */
function skipSpace(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return at;
}

function isSame(left: Buffer, start: number, end: number, right: Buffer, from: number): boolean {
  for (let i = start; i < end; i++) if (left[i] !== right[from + i - start]) return false;
  return true;
}
