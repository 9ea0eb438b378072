import type { Command } from 'commander';
import { callApi, type ApiOptions } from '../api-client.ts';
import { renderExplanation } from '../render-explanation.ts';

export function addExplainCommand(program: Command): void {
  program
    .command('explain')
    .description('Say why an alert, a signal or an incident was treated as it was.')
    .argument('<id>', 'a fingerprint, a signal id or an incident id')
    .option('--url <url>', 'where the server answers', 'http://127.0.0.1:9093')
    .option('--token-file <file>', 'file that holds the bearer token')
    .option('--json', 'print the answer as JSON')
    .action(async (id: string, options: ApiOptions & { json?: boolean }) => {
      const answer = await callApi(options, `/api/v1/explain/${encodeURIComponent(id)}`);
      console.log(options.json ? JSON.stringify(answer, null, 2) : renderExplanation(answer));
    });
}
