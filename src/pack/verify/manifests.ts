import { sha256 } from '../files.ts';
import { readBagInfo } from '../info.ts';
import { dataDirectory, packFiles, packFormat, readManifest, rootedFiles, signatureFiles } from '../layout.ts';
import type { ProblemList } from './codes.ts';
import type { PackContents } from './contents.ts';

/** The small files around the payload, as read; absent ones are not in the map. */
export type TagFiles = ReadonlyMap<string, Buffer>;

const topLevel = new Set<string>(Object.values(packFiles));
const declaration = 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n';

/** Every file of the pack is listed with its digest, every listed file is there, and there is nothing else. Returns what bag-info.txt states. */
export function verifyManifests(contents: PackContents, tagFiles: TagFiles, problems: ProblemList): Map<string, string> {
  const { files } = contents;
  const payload = manifestOf(tagFiles, packFiles.manifest, problems);
  const root = manifestOf(tagFiles, packFiles.root, problems);
  const signatures = manifestOf(tagFiles, packFiles.signatureDigests, problems);

  for (const [path, expected] of payload ?? []) {
    const seen = files.get(path);
    if (!path.startsWith(`${dataDirectory}/`)) problems.add('manifest-malformed', 'it lists a file outside data/', packFiles.manifest);
    else if (seen === undefined) problems.add('file-missing', undefined, path);
    else if (seen.sha256 !== expected) problems.add('file-altered', undefined, path);
  }
  for (const path of files.keys()) {
    if (path.startsWith(`${dataDirectory}/`)) {
      if (payload !== null && !payload.has(path)) problems.add('file-extra', undefined, path);
    } else if (/^(?:tag)?manifest-(?!sha256\.txt)[^/]*\.txt$/.test(path)) problems.add('weak-manifest', undefined, path);
    else if (!topLevel.has(path)) problems.add('file-extra', undefined, path);
  }
  if (root !== null) {
    for (const path of rootedFiles) {
      const seen = files.get(path);
      const expected = root.get(path);
      if (expected === undefined) problems.add('manifest-malformed', `it does not list ${path}`, packFiles.root);
      else if (seen === undefined) problems.add('tag-file-missing', undefined, path);
      else if (seen.sha256 !== expected) problems.add('tag-file-altered', undefined, path);
    }
    for (const path of root.keys()) if (!rootedFiles.includes(path)) problems.add('manifest-malformed', `it lists ${path}`, packFiles.root);
  }
  if (signatures !== null) {
    const right =
      signatures.size === signatureFiles.length && signatureFiles.every((path) => signatures.get(path) === files.get(path)?.sha256);
    if (!right) problems.add('signature-digests-wrong');
  }
  if (tagFiles.get(packFiles.declaration)?.toString('latin1') !== declaration) problems.add('declaration-wrong');
  return readInfo(contents, tagFiles, problems);
}

function manifestOf(tagFiles: TagFiles, path: string, problems: ProblemList): Map<string, string> | null {
  const bytes = tagFiles.get(path);
  if (bytes === undefined) {
    problems.add('manifest-missing', undefined, path);
    return null;
  }
  const entries = readManifest(bytes.toString('latin1'));
  if (entries === null) problems.add('manifest-malformed', undefined, path);
  return entries;
}

function readInfo(contents: PackContents, tagFiles: TagFiles, problems: ProblemList): Map<string, string> {
  const text = tagFiles.get(packFiles.info)?.toString('utf8');
  const info = text === undefined ? null : readBagInfo(text);
  if (info === null) {
    problems.add('info-malformed');
    return new Map();
  }
  const format = info.get('Exhibit-Pack-Format');
  if (format !== packFormat) problems.add('format-unknown', `it says ${JSON.stringify(format ?? 'nothing')}, known is ${packFormat}`);
  const payload = [...contents.files].filter(([path]) => path.startsWith(`${dataDirectory}/`));
  const oxum = `${String(payload.reduce((sum, [, file]) => sum + file.bytes, 0))}.${String(payload.length)}`;
  if (info.get('Payload-Oxum') !== oxum) problems.add('count-wrong', `${oxum} (bytes.files) are there`);
  return info;
}

/** SHA-256 of the root manifest: the name of the pack. Null when there is none. */
export function packRoot(tagFiles: TagFiles): string | null {
  const root = tagFiles.get(packFiles.root);
  return root === undefined ? null : sha256(root);
}
