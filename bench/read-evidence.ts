/**
 * Reads every stored page as judging does, and judges nothing: digests are checked, pages parsed, and records given by the collectors' page
 * maps. What this costs over the parse floor no judge can save. Usage: read-evidence.ts RUN_DIRECTORY
 */
import { pageReaders } from '../src/collectors/registry.ts';
import { evidenceReader } from '../src/evidence/reader.ts';

const directory = process.argv[2];
if (directory === undefined) throw new Error('usage: read-evidence.ts RUN_DIRECTORY');

const reader = evidenceReader(directory, pageReaders());
let records = 0;
const started = performance.now();
for (const stored of reader.queries()) {
  const refuse = ({ file, message }: { file: string; message: string }): never => {
    throw new Error(`${file}: ${message}`);
  };
  for await (const _ of reader.records(stored, refuse)) records += 1;
}
process.stdout.write(JSON.stringify({ records, seconds: (performance.now() - started) / 1000 }));
