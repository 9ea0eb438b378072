/**
 * A receiver of pages in a process of its own, which fails as its seed says:
 *
 *     node test/support/chaos-receiver.ts --port <n> --file <file> --seed <text>
 *
 * It honours `Idempotency-Key`. Each request becomes one line of JSON in the file, before it is answered: `Delivery`. A file
 * `<file>.calm` ends its failures.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { Random } from '../../simulation/random.ts';

/** `taken` was answered with 200; `answer lost` was taken too, and the connection closed instead of an answer. */
export type DeliveryEnd = 'taken' | 'answer lost' | 'failed' | 'too many' | 'hung';

export interface Delivery {
  readonly atMs: number;
  readonly key: string;
  readonly end: DeliveryEnd;
  readonly body: string;
}

const { values: flags } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    file: { type: 'string', default: 'deliveries.jsonl' },
    seed: { type: 'string', default: '1' },
  },
});
const random = new Random(`receiver ${flags.seed}`);
const hungMs = 60_000;

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (text: string) => (body += text));
  request.on('end', () => {
    const end = existsSync(`${flags.file}.calm`) ? 'taken' : endOf(random.next());
    const delivery: Delivery = {
      atMs: Date.now(),
      key: String(request.headers['idempotency-key'] ?? ''),
      end,
      body,
    };
    appendFileSync(flags.file, `${JSON.stringify(delivery)}\n`);
    switch (end) {
      case 'answer lost':
        return response.destroy();
      case 'failed':
        return response.writeHead(500).end();
      case 'too many':
        return response.writeHead(429, { 'retry-after': '1' }).end();
      case 'hung':
        return setTimeout(() => response.destroy(), hungMs).unref();
      case 'taken':
      default:
        return response.end();
    }
  });
});
server.listen(Number(flags.port), '127.0.0.1', () => console.log('The receiver takes pages.'));

function endOf(chance: number): DeliveryEnd {
  if (chance < 0.06) return 'failed';
  if (chance < 0.09) return 'too many';
  if (chance < 0.11) return 'hung';
  if (chance < 0.13) return 'answer lost';
  return 'taken';
}
