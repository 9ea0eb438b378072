import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Random } from '../simulation/random.ts';

/** A request as it came. */
export interface Receipt {
  readonly key: string;
  readonly atMs: number;
  readonly answer: Answer;
  readonly body: string;
}

/** `taken and cut`: it was taken, and its sender never heard of that. */
export type Answer = 'taken' | 'taken and cut' | 'failed' | 'busy' | 'silent';

const answers: readonly (readonly [Answer, number])[] = [
  ['failed', 0.05],
  ['busy', 0.03],
  ['silent', 0.02],
  ['taken and cut', 0.02],
];

/** A receiver of webhooks that sometimes fails, hangs, answers 429, or takes a page and cuts the connection. It keeps what it got. */
export class Receiver {
  readonly receipts: Receipt[] = [];
  readonly #server: Server;
  readonly #random: Random;
  #isWell = false;

  private constructor(random: Random) {
    this.#random = random;
    this.#server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (part: string) => (body += part));
      request.on('end', () => {
        const answer = this.#nextAnswer();
        const key = String(request.headers['idempotency-key']);
        this.receipts.push({ key, atMs: performance.now(), answer, body });
        respond(response, answer);
      });
    });
  }

  static async open(random: Random): Promise<Receiver> {
    const receiver = new Receiver(random);
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Takes everything from now on. */
  heal(): void {
    this.#isWell = true;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #nextAnswer(): Answer {
    if (this.#isWell) return 'taken';
    let draw = this.#random.next();
    for (const [answer, share] of answers) {
      if (draw < share) return answer;
      draw -= share;
    }
    return 'taken';
  }
}

function respond(response: ServerResponse, answer: Answer): void {
  if (answer === 'taken') response.end();
  else if (answer === 'failed') response.writeHead(503).end();
  else if (answer === 'busy') response.writeHead(429, { 'retry-after': '1' }).end();
  else if (answer === 'taken and cut') response.destroy();
}
