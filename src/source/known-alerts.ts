import type { Alert } from '../alert/index.ts';
import { ItemsRead, parseJson, type DecodeContext, type DecodeResult } from './decode.ts';
import { KnownTable, type KnownAlert, type KnownTableLimits } from './known-table.ts';
import { ObjectScan, type Span } from './object-scan.ts';
import { fillTimes, type ReportOutcome } from './report.ts';
import { parseTime } from './time.ts';

/** Reads an object that was parsed: an item of a list by its index, or (null) all that there is. */
export type ReadItem = (item: unknown, index: number | null, context: DecodeContext) => ReadOutcome;

/** Of what `isRepeatable`, only its times may depend on anything but its own bytes and the domain. */
export interface ReadOutcome {
  readonly report: ReportOutcome;
  readonly isRepeatable: boolean;
}

export interface KnownOptions {
  /** Whether a body may be one object and no list. */
  readonly mayStandAlone: boolean;
  readonly limits?: KnownTableLimits;
}

const defaultLimits: KnownTableLimits = { count: 65_536, bytes: 32 * 1024 * 1024, bytesEach: 4096 };
/** Domains that are told apart before all is forgotten. */
const maxScopes = 4096;
/** One in so many must have been known for it to be worth looking at the next list; shorter lists say nothing about that. */
const leastShare = 4;
const leastConsidered = 16;
const maxPause = 8;
/** What has a longer time is not kept: it would be looked at for each object that might be the same. */
const maxTimeLength = 64;

/**
 * Reads alerts most of which say what was said before, but for their times: what has the same bytes is not parsed, sorted and hashed
 * again. Looks first for what came next the last time, then by a hash of the bytes of the labels; and compares all bytes in either case,
 * so that what it gives is what reading everything would have given. Labels and annotations are shared by what repeats. What it keeps is
 * bounded.
 */
export class KnownAlerts {
  readonly #read: ReadItem;
  readonly #mayStandAlone: boolean;
  readonly #known: KnownTable;
  readonly #scan = new ObjectScan();
  readonly #scopes = new Map<string, number>();
  #scope = 0;
  /** Lists that are not looked at before the next one is, and how many it will be after that if it brings as little. */
  #pause = 0;
  #nextPause = 1;
  #repeatedCount = 0;
  /** Of the body that is being read. */
  #words: DataView = new DataView(new ArrayBuffer(0));
  /** What was read last, and where it ends. */
  #last: KnownAlert | null = null;
  #end = 0;
  /** Where the next labels stand in the body, and their hash. */
  #labelsAt = -1;
  #labelsHash = 0;
  /** Where in this body the time stands that was parsed last, and what it says. */
  #timeFrom = -1;
  #timeTo = -1;
  #timeMs: number | null = null;

  constructor(read: ReadItem, { mayStandAlone, limits = defaultLimits }: KnownOptions) {
    this.#read = read;
    this.#mayStandAlone = mayStandAlone;
    this.#known = new KnownTable(limits);
  }

  /**
   * Reads `[{...}, ...]`, or `{...}` alone where it may be. Null where the bytes are neither: they want to be parsed as a whole, which also says what is
   * wrong with them. Null too for most of the lists from senders that hardly repeat themselves, as looking costs something.
   */
  read(body: Uint8Array, context: DecodeContext): DecodeResult | null {
    if (body[0] === openList && this.#pause > 0) {
      this.#pause--;
      return null;
    }
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
    this.#begin(bytes, context);
    const found = new ItemsRead();
    let at = skipSpace(bytes, 0);
    if (bytes[at] === openObject && this.#mayStandAlone) {
      const report = this.#readObject(bytes, at, null, context);
      if (!report || skipSpace(bytes, this.#end) !== bytes.length) return null;
      found.add(report);
      return found.result('alerts');
    }
    if (bytes[at] !== openList) return null;
    at = skipSpace(bytes, at + 1);
    for (let index = 0; bytes[at] === openObject; index++) {
      const report = this.#readObject(bytes, at, index, context);
      if (!report) return null;
      found.add(report);
      at = skipSpace(bytes, this.#end);
      if (bytes[at] !== comma) break;
      at = skipSpace(bytes, at + 1);
      if (bytes[at] !== openObject) return null;
    }
    if (bytes[at] !== closeList || skipSpace(bytes, at + 1) !== bytes.length) return null;
    const result = found.result('alerts');
    this.#consider(result.alerts.length);
    return result;
  }

  /** Decides how soon to look again by what came of it. */
  #consider(count: number): void {
    if (count < leastConsidered) return;
    const isWorthIt = this.#repeatedCount * leastShare >= count;
    this.#pause = isWorthIt ? 0 : this.#nextPause;
    this.#nextPause = isWorthIt ? 1 : Math.min(maxPause, this.#nextPause * 2);
  }

  #begin(bytes: Buffer, context: DecodeContext): void {
    this.#scope = this.#scopeOf(context);
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#last = null;
    this.#repeatedCount = 0;
    this.#labelsAt = this.#timeFrom = this.#timeTo = -1;
  }

  /** Reads the object at `at`; null when it is no JSON. */
  #readObject(bytes: Buffer, at: number, index: number | null, context: DecodeContext): ReportOutcome | null {
    const next = this.#last?.next;
    const alert = next ? this.#repeated(next, bytes, at, context) : null;
    if (next && alert) {
      this.#last = next;
      this.#end = at + next.bytes.length;
      return { ok: true, alert };
    }
    const hash = this.#hashAt(bytes, at);
    for (let turn = 0; turn < this.#known.turns; turn++) {
      const known = this.#known.candidate(hash, turn);
      if (known?.hash !== hash) continue;
      const found = this.#repeated(known, bytes, at, context);
      if (!found) continue;
      this.#follow(known);
      this.#end = at + known.bytes.length;
      return { ok: true, alert: found };
    }
    if (!this.#scan.scan(bytes, at)) return null;
    this.#end = this.#scan.end;
    const json = parseJson(bytes.subarray(at, this.#end));
    if (!json.ok) return null;
    const { report, isRepeatable } = this.#read(json.value, index, context);
    this.#follow(report.ok && isRepeatable ? this.#keep(bytes, at, hash, report.alert) : null);
    return report;
  }

  /** Takes note of what came behind the last. What is forgotten points at nothing: such chains would have no end. */
  #follow(known: KnownAlert | null): void {
    if (this.#last?.alert) this.#last.next = known;
    this.#last = known;
  }

  /** The alert that the bytes at `at` say when they are those of `known` but for the times; else null. */
  #repeated(known: KnownAlert, bytes: Buffer, at: number, context: DecodeContext): Alert | null {
    const end = at + known.bytes.length;
    if (!known.alert || known.scope !== this.#scope || end > bytes.length) return null;
    const { startsFrom, startsTo, endsFrom, endsTo } = known;
    if (startsFrom >= 0 && !isSame(known.bytes, startsFrom, startsTo, bytes, at + startsFrom)) {
      if (!this.#takeTime(known.bytes, startsFrom, startsTo, bytes, at)) return null;
      known.startsAtMs = this.#timeMs;
    }
    if (endsFrom >= 0 && !isSame(known.bytes, endsFrom, endsTo, bytes, at + endsFrom)) {
      if (!this.#takeTime(known.bytes, endsFrom, endsTo, bytes, at)) return null;
      known.endsAtMs = this.#timeMs;
    }
    if (known.bytes.compare(bytes, at, end) !== 0) return null;
    const times = fillTimes(known.startsAtMs, known.endsAtMs, context);
    if (!times) return null;
    known.isUsed = true;
    this.#repeatedCount++;
    const { startsAtMs, endsAtMs, endsByTimeout } = times;
    return { ...known.alert, startsAtMs, endsAtMs, endsByTimeout, receivedAtMs: context.nowMs };
  }

  /** Reads the time from the object at `at` into `#timeMs` and its text into the known bytes; false where there is none. */
  #takeTime(known: Buffer, start: number, end: number, bytes: Buffer, at: number): boolean {
    const from = at + start;
    const to = at + end;
    if (this.#timeTo - this.#timeFrom !== end - start || !isSame(bytes, from, to, bytes, this.#timeFrom)) {
      const timeMs = parseTime(bytes.toString('latin1', from, to));
      if (Number.isNaN(timeMs)) return false;
      this.#timeFrom = from;
      this.#timeTo = to;
      this.#timeMs = timeMs;
    }
    for (let i = start; i < end; i++) known[i] = bytes[at + i]!;
    return true;
  }

  /** Keeps what was just scanned; null where it cannot or need not be. */
  #keep(bytes: Buffer, at: number, hash: number, alert: Alert): KnownAlert | null {
    const { isPlain, end, startsAt, endsAt } = this.#scan;
    const isUsual = isPlain && lengthOf(startsAt) <= maxTimeLength && lengthOf(endsAt) <= maxTimeLength;
    if (!isUsual || !this.#known.admits(this.#hashOfAll(at), end - at)) return null;
    // A time that is empty says nothing, as bytes of their own kind.
    const startsFrom = startsAt.start < startsAt.end ? startsAt.start - at : -1;
    const endsFrom = endsAt.start < endsAt.end ? endsAt.start - at : -1;
    const timeOf = (from: number, to: number): number | null =>
      from < 0 ? null : parseTime(bytes.toString('latin1', at + from, to));
    // Not from the pool of Node: a few bytes would keep all of a slab.
    const copy = Buffer.allocUnsafeSlow(end - at);
    copy.set(bytes.subarray(at, end));
    const known: KnownAlert = {
      scope: this.#scope,
      hash,
      bytes: copy,
      alert,
      startsFrom,
      startsTo: startsAt.end - at,
      startsAtMs: timeOf(startsFrom, startsAt.end),
      endsFrom,
      endsTo: endsAt.end - at,
      endsAtMs: timeOf(endsFrom, endsAt.end),
      next: null,
      isUsed: false,
    };
    return this.#known.keep(known) ? known : null;
  }

  /**
   * The hash of the next labels behind `at`, which need not be of the object there: equal bytes have equal hashes, and more is not asked.
   * No byte of a body is looked at twice for it.
   */
  #hashAt(bytes: Buffer, at: number): number {
    if (this.#labelsAt < at) {
      const found = bytes.indexOf(labelsKey, at);
      this.#labelsAt = found < 0 ? Infinity : found;
      const start = found + labelsKey.length;
      const end = found < 0 ? -1 : bytes.indexOf(closeObject, start);
      this.#labelsHash = end < 0 ? 0 : mix(this.#addWords(this.#scope, start, end));
    }
    return this.#labelsHash;
  }

  /** The hash of all that was scanned at `at` but its times. */
  #hashOfAll(at: number): number {
    const { end, startsAt, endsAt } = this.#scan;
    const [first, second] = startsAt.start < endsAt.start ? [startsAt, endsAt] : [endsAt, startsAt];
    let hash = this.#scope;
    let from = at;
    for (const span of [first, second]) {
      if (span.start < 0) continue;
      hash = this.#addWords(hash, from, span.start);
      from = span.end;
    }
    return mix(this.#addWords(hash, from, end));
  }

  /** FNV-1a by words of 4 bytes; the bytes that are left make one of their own. */
  #addWords(basis: number, start: number, end: number): number {
    const words = this.#words;
    let hash = basis;
    let at = start;
    for (; at + 4 <= end; at += 4) {
      hash = Math.imul(hash ^ words.getUint32(at, true), prime);
      hash ^= hash >>> 15;
    }
    let rest = end - start;
    for (; at < end; at++) rest = (rest << 8) | words.getUint8(at);
    return Math.imul(hash ^ rest, prime);
  }

  /** A number for what an alert depends on beside its bytes. */
  #scopeOf({ defaultDomain, domainLabel }: DecodeContext): number {
    const key = JSON.stringify([defaultDomain, domainLabel]);
    const scope = this.#scopes.get(key);
    if (scope !== undefined) return scope;
    if (this.#scopes.size === maxScopes) {
      this.#known.clear();
      this.#scopes.clear();
    }
    this.#scopes.set(key, this.#scopes.size);
    return this.#scopes.size - 1;
  }
}

const openList = 0x5b;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;
const comma = 0x2c;
const labelsKey = Buffer.from('"labels":{');
/** Of FNV-1a. */
const prime = 16_777_619;

/** Spreads what a hash differs in over all its bits (Murmur3's finalizer); unsigned. */
function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** The offset of the next byte that is no space of JSON. */
function skipSpace(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return at;
}

function lengthOf({ start, end }: Span): number {
  return start < 0 ? 0 : end - start;
}

function isSame(left: Buffer, start: number, end: number, right: Buffer, from: number): boolean {
  for (let i = start; i < end; i++) if (left[i] !== right[from + i - start]) return false;
  return true;
}
