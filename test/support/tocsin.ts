import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const main = new URL('../../bin/tocsin.js', import.meta.url).pathname;

/** A Tocsin process of its own. */
export interface TocsinProcess {
  readonly child: ChildProcess;
  readonly url: string;
  /** Everything it has printed so far, on both outputs. */
  output(): string;
  /** Resolves with the exit code, or null after a signal. */
  readonly exited: Promise<number | null>;
  /** Resolves once the output matches. Rejects when the process ends before. */
  says(pattern: RegExp): Promise<void>;
}

/** Starts `tocsin` and waits until it says where it answers. */
export async function startTocsin(...args: string[]): Promise<TocsinProcess> {
  return startNode(main, ...args);
}

/** As `startTocsin`, with Node's own options before it. */
export async function startNode(...args: string[]): Promise<TocsinProcess> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
      for (const watch of watchers) watch();
    });
  }
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const says = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const watch = (): void => {
        if (!pattern.test(output)) return;
        watchers.delete(watch);
        resolve();
      };
      watchers.add(watch);
      watch();
      void exited.then((code) =>
        reject(new Error(`tocsin ended with ${code} before it said ${pattern}:\n${output}`)),
      );
    });
  await says(/answers at http:\S+/);
  const url = /answers at (http:\/\/[^\s"]+)/.exec(output)?.[1] ?? '';
  return { child, url, output: () => output, exited, says };
}

export interface ReceivedPage {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

/** A receiver that keeps what it was sent, answered or not. */
export interface RecordingReceiver {
  readonly url: string;
  readonly received: ReceivedPage[];
  /** How it answers from now on; with 200 unless said otherwise. */
  answer: (response: ServerResponse) => void;
  /** Resolves with the first page that matches, received already or to come. */
  page(matches: (page: ReceivedPage) => boolean): Promise<ReceivedPage>;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<RecordingReceiver> {
  const received: ReceivedPage[] = [];
  const watchers = new Set<() => void>();
  const server: Server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => (text += part));
    request.on('end', () => {
      received.push({
        id: String(request.headers['idempotency-key']),
        headers: request.headers,
        body: JSON.parse(text) as Record<string, unknown>,
      });
      receiver.answer(response);
      for (const watch of watchers) watch();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const receiver: RecordingReceiver = {
    url: `http://127.0.0.1:${port}/page`,
    received,
    answer: (response) => void response.end(),
    page: (matches) =>
      new Promise((resolve) => {
        const watch = (): void => {
          const page = received.find(matches);
          if (!page) return;
          watchers.delete(watch);
          resolve(page);
        };
        watchers.add(watch);
        watch();
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

/**
 * Ids of the pages that were received and whose outcome Tocsin has recorded by now: none of these may come again, whatever happens.
 * Resolves at a moment when nothing is under way; a page that is cut off between its receipt and its record comes again under its id.
 */
export async function settledPages(server: TocsinProcess, receiver: RecordingReceiver): Promise<string[]> {
  for (;;) {
    const ids = receiver.received.map(({ id }) => id);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    if (/^tocsin_effects_in_flight 0$/m.test(metrics)) return ids;
  }
}
