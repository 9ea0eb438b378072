import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Hello, HelloReply, Standing } from './standing.ts';
import { NoAnswer, type Caller } from './wire.ts';

export interface MembersOptions {
  /** Addresses to begin with, `host:port`. */
  readonly peers: readonly string[];
  readonly caller: Caller;
  /** What this member says of itself. */
  readonly standing: () => Standing;
  readonly probeTimeoutMs: number;
  readonly monotonicMs: () => number;
}

/** What came of asking everybody at once. */
export interface Round {
  /** When it began, on the monotonic clock. */
  readonly beganMs: number;
  /** One for each member that answered. */
  readonly heard: readonly HelloReply[];
  /** Addresses at which nobody answered. */
  readonly unheard: ReadonlyMap<string, 'gone' | 'silent'>;
}

interface Known {
  readonly address: string;
  readonly seenMs: number;
}

/** Who was not heard for so long is no member any more; addresses of the configuration are asked for ever. */
const forgottenAfterMs = 15_000;

/** The other members: those of the configuration, those that called, and those that others hear. */
export class Members {
  readonly #options: MembersOptions;
  readonly #known = new Map<string, Known>();
  /** Addresses at which this process answers itself. */
  readonly #own = new Set<string>();

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  get list(): readonly { readonly id: string; readonly address: string }[] {
    return Array.from(this.#known, ([id, { address }]) => ({ id, address }));
  }

  get hello(): Hello {
    return { standing: this.#options.standing(), members: [...this.list] };
  }

  /** Somebody has called, from the machine `host`. */
  note({ standing: { id, address } }: Hello, host: string): void {
    if (id === this.#options.standing().id) return;
    const from = host.includes(':') ? `[${host}]` : host;
    this.#see(id, address.startsWith(':') ? `${from}${address}` : address);
  }

  /** Says hello to everybody. Never rejects. */
  async round(): Promise<Round> {
    const { monotonicMs, standing } = this.#options;
    const beganMs = monotonicMs();
    this.#forget(beganMs - forgottenAfterMs);
    const unheard = new Map<string, 'gone' | 'silent'>();
    const heard = new Map<string, HelloReply>();
    const hello = this.hello;
    await Promise.all(
      [...(await this.#addresses(unheard))].map(async (address) => {
        const reply = await this.#call(address, hello);
        if (typeof reply === 'string') {
          unheard.set(address, reply);
          return;
        }
        const { id } = reply.standing;
        if (id === standing().id) this.#own.add(address);
        else {
          heard.set(id, reply);
          this.#see(id, address);
          for (const other of reply.members)
            if (!this.#known.has(other.id)) this.#see(other.id, other.address);
        }
      }),
    );
    for (const [id, { address }] of this.#known)
      if (unheard.get(address) === 'gone' && !heard.has(id)) this.#known.delete(id);
    return { beganMs, heard: [...heard.values()], unheard };
  }

  #see(id: string, address: string): void {
    const { standing, monotonicMs } = this.#options;
    if (id !== standing().id) this.#known.set(id, { address, seenMs: monotonicMs() });
  }

  #forget(beforeMs: number): void {
    for (const [id, { seenMs }] of this.#known) if (seenMs < beforeMs) this.#known.delete(id);
  }

  async #addresses(unheard: Map<string, 'gone' | 'silent'>): Promise<Set<string>> {
    const found = new Set(this.list.map(({ address }) => address));
    for (const peer of this.#options.peers) {
      const resolved = await resolve(peer);
      if (resolved.length === 0) unheard.set(peer, 'gone');
      for (const address of resolved) found.add(address);
    }
    for (const address of this.#own) found.delete(address);
    return found;
  }

  async #call(address: string, hello: Hello): Promise<HelloReply | 'gone' | 'silent'> {
    const { caller, probeTimeoutMs } = this.#options;
    try {
      return await caller.hello({ address, timeoutMs: probeTimeoutMs }, hello);
    } catch (error) {
      return error instanceof NoAnswer && error.why === 'gone' ? 'gone' : 'silent';
    }
  }
}

/** A name may stand for several machines, as that of a headless service does. Empty when nobody knows it. */
async function resolve(peer: string): Promise<string[]> {
  const at = peer.lastIndexOf(':');
  const host = peer.slice(0, at).replace(/^\[(.*)\]$/, '$1');
  const port = peer.slice(at);
  if (isIP(host) !== 0 || host === 'localhost') return [peer];
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address, family }) => (family === 6 ? `[${address}]${port}` : `${address}${port}`));
  } catch {
    return [];
  }
}
