import { callApi } from '../api-client.ts';
import { comeAgain } from '../come-again.ts';

/** An incident as the API tells it; what the demo's responder looks at. */
export interface SeenIncident {
  readonly id: string;
  readonly title: string;
  readonly priority: string;
  readonly state: string;
  readonly category: string;
  readonly signalCount: number;
  readonly alertCount: number;
  readonly services: readonly string[];
  readonly runbooks?: readonly { readonly name: string }[];
  readonly runs?: readonly SeenRun[];
}

export interface SeenRun {
  readonly id: string;
  readonly state: string;
  readonly steps: readonly { readonly name: string; readonly state: string; readonly outcome: string }[];
}

export interface SeenFunnel {
  readonly alerts: number;
  readonly signals: number;
  readonly incidents: number;
  readonly pages: number;
  readonly resolvedPages: number;
}

/**
 * What a person does at the API, over real HTTP. Commands carry fixed ids, so that a demo that goes on after a kill acts once. Where the
 * server is busy or does not answer it is asked again, for a minute and more.
 */
export class Responder {
  readonly #url: string;
  readonly #name: string;

  constructor(url: string, name: string) {
    this.#url = url;
    this.#name = name;
  }

  async incidents(state = 'unresolved'): Promise<readonly SeenIncident[]> {
    return (await this.#get(`/api/v1/incidents?state=${state}`)) as readonly SeenIncident[];
  }

  async incident(id: string): Promise<SeenIncident> {
    return (await this.#get(`/api/v1/incidents/${id}`)) as SeenIncident;
  }

  async run(id: string): Promise<SeenRun> {
    return (await this.#get(`/api/v1/runs/${id}`)) as SeenRun;
  }

  async funnel(): Promise<SeenFunnel> {
    return (await this.#get('/api/v1/funnel')) as SeenFunnel;
  }

  /** Sends a command. `commandId` makes a second sending harmless. */
  async act(
    path: string,
    commandId: string,
    body: Readonly<Record<string, unknown>> = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    const answer = await this.#call(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': commandId },
      body: JSON.stringify({ by: this.#name, ...body }),
    });
    return answer as Readonly<Record<string, unknown>>;
  }

  /** Posts reports as a sender would. */
  async post(path: string, body: string): Promise<void> {
    await this.#call(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body,
    });
  }

  #get(path: string): Promise<unknown> {
    return this.#call(path);
  }

  /** Doing any of it twice does no harm. */
  #call(path: string, init?: RequestInit): Promise<unknown> {
    return comeAgain(() => callApi({ url: this.#url }, path, init), {
      patienceMs: 90_000,
      firstWaitMs: 100,
      longestWaitMs: 5000,
      isPassing: ({ retryable }) => retryable,
    });
  }
}
