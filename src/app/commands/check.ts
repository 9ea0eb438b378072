import type { Command } from 'commander';
import { loadConfig } from '../config-file.ts';
import { formatMistake } from '../config.ts';

export function addCheckCommand(program: Command): void {
  program
    .command('check')
    .description('Check a configuration file and list everything that is wrong with it.')
    .argument('<config>', 'the file, such as tocsin.yml or alertmanager.yml')
    .action(async (file: string) => {
      const outcome = await loadConfig(file);
      if (!outcome.ok) {
        for (const mistake of outcome.mistakes) console.error(formatMistake(file, mistake));
        console.error(
          `${outcome.mistakes.length} mistake${outcome.mistakes.length === 1 ? '' : 's'} in ${file}`,
        );
        process.exitCode = 1;
        return;
      }
      const { receivers, inhibit_rules, services, runbooks } = outcome.config;
      console.log(`${file} is fine:`);
      console.log(`  receivers       ${receivers.length}`);
      console.log(`  inhibit rules   ${inhibit_rules.length}`);
      console.log(`  services        ${services.length}`);
      console.log(`  runbooks        ${runbooks.catalog.length}`);
    });
}
