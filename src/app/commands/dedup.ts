import type { SingleBar } from 'cli-progress';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { plainText } from '../../alert/index.ts';
import { requireConfig } from '../config-file.ts';
import { groupLines, type LineFormat } from '../group-lines.ts';
import { LineFile, sizeOf } from '../line-file.ts';
import { openProgressBar } from '../progress-bar.ts';
import { renderGroups } from '../render-groups.ts';

/** A smaller file is done before anyone looks at a bar. */
const leastBytesForBar = 4 * 1024 * 1024;
/** Bad lines that are named; the rest is counted. */
const mostNamed = 20;

interface DedupCommandOptions {
  readonly config?: string;
  readonly output?: string;
  readonly format?: LineFormat;
  readonly top: number;
  readonly all?: boolean;
}

export function addDedupCommand(program: Command): void {
  program
    .command('dedup')
    .description('Show what dedup would take as one thing by its text: groups by size, with their templates.')
    .argument(
      '<file>',
      "lines of text, or NDJSON alerts in Alertmanager's shape; .gz is read too, - is standard input",
    )
    .option(
      '--output <groups.ndjson>',
      'write one line per input line: index, group, representative, similarity, template',
    )
    .addOption(
      new Option('--format <format>', 'what the file holds; without it the first line tells').choices([
        'text',
        'ndjson',
      ]),
    )
    .option('--config <file>', 'whose section "dedup" counts; without it the defaults')
    .addOption(new Option('--top <count>', 'groups to print').argParser(positive).default(20))
    .option('--all', 'print all groups')
    .action(dedup);
}

async function dedup(file: string, options: DedupCommandOptions): Promise<void> {
  const { config } = await requireConfig(options.config === undefined ? {} : { configFile: options.config });
  const size = await sizeOf(file);
  const { global, source } = config;
  const bars = new Bars(size);
  const out = options.output === undefined ? null : new LineFile(options.output);
  let badCount = 0;
  try {
    const groups = await groupLines(file, {
      config: config.dedup,
      context: {
        resolveTimeoutMs: global.resolve_timeout,
        defaultDomain: source.default_domain,
        domainLabel: source.domain_label,
      },
      ...(options.format === undefined ? {} : { format: options.format }),
      onBadLine: (line, message) => {
        if (++badCount <= mostNamed) console.error(`${file}:${line}: ${plainText(message, 1000)}`);
      },
      onProgress: (step, bytesRead) => bars.update(step, bytesRead),
      onLine: (line) => out?.write(line),
    });
    await out?.close();
    bars.stop();
    if (badCount > mostNamed) console.error(`${file}: ${badCount - mostNamed} more lines could not be read`);
    console.log(renderGroups(groups, options.all ? Infinity : options.top));
    if (badCount > 0) process.exitCode = 1;
  } finally {
    bars.stop();
  }
}

/** A bar for each step over a big file. */
class Bars {
  readonly #size: number;
  #step = '';
  #bar: SingleBar | null = null;

  constructor(size: number) {
    this.#size = size;
  }

  update(step: string, bytesRead: number): void {
    if (this.#size < leastBytesForBar) return;
    if (step !== this.#step) {
      this.stop();
      this.#step = step;
      this.#bar = openProgressBar(step, this.#size);
    }
    this.#bar?.update(bytesRead);
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = null;
  }
}

function positive(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('expected a number of groups.');
  return count;
}
