import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const canRunTypeScript = major > 22 || (major === 22 && minor >= 18);
const bundledNode = pathOf('../node_modules/node/bin/node');

/**
 * Runs `source`, a file of `src/`, or in a package, which has no sources, `built` of `dist/`: in this process, or under the Node that is
 * installed with the project where this one is too old.
 */
export async function run(source, built) {
  const main = existsSync(pathOf(source)) ? pathOf(source) : pathOf(built);
  if (canRunTypeScript) {
    // What is compiled is kept, so that the next start is twice as fast. Where the folder cannot be written nothing is kept.
    module.enableCompileCache(pathOf('../node_modules/.cache/tocsin'));
    await import(main);
  } else if (existsSync(bundledNode)) {
    const child = spawn(bundledNode, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.on('exit', (code) => process.exit(code ?? 1));
  } else {
    console.error(`Tocsin needs Node 22.18 or newer; this is ${process.version}.`);
    process.exit(1);
  }
}

function pathOf(relative) {
  return fileURLToPath(new URL(relative, import.meta.url));
}
