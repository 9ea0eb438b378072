import type { RedisArgument } from './redis-connection.ts';
import type { Lease } from './store.ts';

/** Under which lease a handle writes. Shared by all that writes through it. */
export class RedisFence {
  #lease: Lease | null = null;

  /** What is written from now on is written under `lease`. */
  raise(lease: Lease): void {
    this.#lease = lease;
  }

  /** Owner and token as `isFenced` wants them; empty while no lease was taken. */
  get args(): readonly [owner: RedisArgument, token: RedisArgument] {
    return this.#lease ? [this.#lease.owner, this.#lease.fencingToken] : ['', ''];
  }
}
