import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Delivered {
  readonly url: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly atMs: number;
}

export interface ReceiverServer {
  readonly url: string;
  readonly requests: Delivered[];
  /** How the n-th request is answered; 200 unless said otherwise. */
  answers: ((response: ServerResponse, request: Delivered) => void)[];
  close(): Promise<void>;
}

/** A webhook receiver on loopback. */
export async function startReceiver(): Promise<ReceiverServer> {
  const requests: Delivered[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const { url = '', method = '', headers } = request;
      const delivered = { url, method, headers, body, atMs: performance.now() };
      requests.push(delivered);
      const answer = receiver.answers[requests.length - 1];
      if (answer) answer(response, delivered);
      else response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: ReceiverServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    requests,
    answers: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

export function status(
  code: number,
  headers: Record<string, string> = {},
  body = '',
): (response: ServerResponse) => void {
  return (response) => void response.writeHead(code, headers).end(body);
}

export function hang(): void {
  // Says nothing, for as long as the other side waits.
}
