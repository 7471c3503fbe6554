import { readdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { CatalogueEntry } from './envelope.ts';
import type { Problem } from '../types.ts';
import type { YamlSource } from './yaml-source.ts';

/** Files that a list of the entry names: plain paths, or `controls/aws/*.yaml`. In the order of the list, sorted within a pattern. */
export async function included(
  directory: string,
  entry: CatalogueEntry,
  list: 'include' | 'conditions',
  source: YamlSource,
  problems: Problem[],
): Promise<string[]> {
  const found: string[] = [];
  for (const [index, pattern] of entry[list].entries()) {
    const folder = posix.dirname(pattern);
    const wanted = posix.basename(pattern);
    if (posix.isAbsolute(pattern) || pattern.split('/').includes('..') || folder.includes('*')) {
      problems.push(source.problem([list, index], `${pattern} must be a path below this directory, with * in the file name only`));
      continue;
    }
    const expression = new RegExp(
      `^${wanted
        .split('*')
        .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
        .join('[^/]*')}$`,
    );
    let names: string[] = [];
    try {
      names = (await readdir(join(directory, folder))).filter((name) => expression.test(name)).sort();
    } catch {
      // a directory that is not there holds no file
    }
    if (names.length === 0) problems.push(source.problem([list, index], `${pattern} names no file`));
    for (const name of names) {
      const path = folder === '.' ? name : posix.join(folder, name);
      if (!found.includes(path)) found.push(path);
    }
  }
  return found;
}
