/**
 * Makes what is shipped, `npm run build [-- folder]`: JavaScript in few files, as Node runs no TypeScript below `node_modules` and starts
 * in half the time. Packages with parts of their own (native code, workers, data) stay outside, and so does what is loaded only where
 * a configuration asks for it. Files that are read at run time stay where they are in the sources.
 */
import { rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown, type Plugin } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(process.argv[2] ?? root, 'dist');

const outside = [
  /^lmdb/,
  /^msgpackr/,
  /^chdb/,
  /^echarts/,
  /^ioredis/,
  /^piscina/,
  /^@clickhouse\//,
  /^@nats-io\//,
  /^@opentelemetry\//,
  /^nodemailer/,
  /^undici/,
];

/** The one worker entry point, as `src/score/pool.ts` names it, and where it is in what is shipped. */
const worker = { named: "'../../workers/score.ts'", shipped: "'../../dist/workers/score.js'" };

/** Chunks lie in one folder: a path that a file of the sources makes from its own place must begin there all the same. */
const keepPlaces: Plugin = {
  name: 'keep-places',
  transform(code, id) {
    if (!id.startsWith(join(root, 'src')) || !code.includes('import.meta.')) return null;
    const place = `new URL(${JSON.stringify(join('..', relative(root, id)))}, import.meta.url)`;
    const placed = code
      .replaceAll('import.meta.url', `(${place}.href)`)
      .replaceAll('import.meta.dirname', `(new URL('.', ${place}).pathname)`)
      .replaceAll(worker.named, worker.shipped);
    return { code: placed };
  },
};

async function build(input: Record<string, string>, folder: string): Promise<void> {
  const bundle = await rolldown({
    input,
    cwd: root,
    platform: 'node',
    external: outside,
    plugins: [keepPlaces],
  });
  await bundle.write({ dir: folder, format: 'esm', chunkFileNames: '[name]-[hash].js' });
  await bundle.close();
}

rmSync(target, { recursive: true, force: true });
await build({ tocsin: 'src/app/main.ts', 'tocsin-alertmanager': 'src/app/alertmanager/main.ts' }, target);
await build({ score: 'workers/score.ts' }, join(target, 'workers'));
console.log(`${relative(process.cwd(), target) || dirname(target)} is built`);
