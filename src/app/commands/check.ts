import type { Command } from 'commander';
import { loadConfig } from '../config-file.ts';

export function addCheckCommand(program: Command): void {
  program
    .command('check')
    .description('Check a configuration file and list everything that is wrong with it.')
    .argument('<config>', 'the file, such as tocsin.yml')
    .option('--alertmanager', 'the file is an Alertmanager configuration, to run as it stands')
    .action(async (file: string, { alertmanager }: { readonly alertmanager?: boolean }) => {
      const outcome = await loadConfig(alertmanager ? { alertmanagerFile: file } : { configFile: file });
      if (!outcome.ok) {
        const { errors } = outcome;
        for (const error of errors) console.error(error);
        console.error(`${errors.length} mistake${errors.length === 1 ? '' : 's'} in ${file}`);
        process.exitCode = 1;
        return;
      }
      for (const warning of outcome.warnings) console.error(warning);
      const { receivers, inhibit_rules, services, runbooks } = outcome.config;
      console.log(`${file} is fine:`);
      console.log(`  receivers       ${receivers.length}`);
      console.log(`  inhibit rules   ${inhibit_rules.length}`);
      console.log(`  services        ${services.length}`);
      console.log(`  runbooks        ${runbooks.catalog.length}`);
    });
}
