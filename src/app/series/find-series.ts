import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join, relative, resolve } from 'node:path';
import { TocsinError } from '../../engine/index.ts';

/** One file to score: where it is, where its scores and its picture go. */
export interface SeriesTask {
  readonly input: string;
  readonly output: string;
  /** Null when no picture is wanted. */
  readonly picture: string | null;
  readonly bytes: number;
}

/**
 * What is to be scored: `input` itself, or each `.csv` file below it, with the tree mirrored below `output` (and below
 * `picture`, as `.svg`). Files come in the order of their names.
 * Rejects with TOC_SERIES_UNREADABLE when there is nothing to score, or where a result would overwrite what is read.
 */
export async function findSeries(input: string, output: string, picture?: string): Promise<SeriesTask[]> {
  const status = await inspect(input);
  if (!status.isDirectory()) {
    const isFolder = await isExistingFolder(output);
    const task: SeriesTask = {
      input,
      output: isFolder ? join(output, basename(input)) : output,
      picture: picture ?? null,
      bytes: status.size,
    };
    refuseOverwriting(task);
    return [task];
  }
  const tasks: SeriesTask[] = [];
  for (const file of await listFiles(input)) {
    const path = relative(input, file);
    tasks.push({
      input: file,
      output: join(output, path),
      picture: picture === undefined ? null : join(picture, path.slice(0, -extname(path).length) + '.svg'),
      bytes: (await inspect(file)).size,
    });
  }
  if (tasks.length === 0) throw new TocsinError('TOC_SERIES_UNREADABLE', `${input} holds no .csv file`);
  tasks.forEach(refuseOverwriting);
  return tasks;
}

async function listFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && entry.name.toLowerCase().endsWith('.csv'))
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted();
  } catch (error) {
    throw new TocsinError('TOC_SERIES_UNREADABLE', `${folder} cannot be read`, { cause: error });
  }
}

async function inspect(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    throw new TocsinError('TOC_SERIES_UNREADABLE', `${path} cannot be read`, { cause: error });
  }
}

async function isExistingFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
}

function refuseOverwriting({ input, output, picture }: SeriesTask): void {
  for (const target of [output, picture]) {
    if (target !== null && resolve(target) === resolve(input)) {
      throw new TocsinError('TOC_SERIES_UNREADABLE', `${target} is what is read; it would be overwritten`);
    }
  }
}
