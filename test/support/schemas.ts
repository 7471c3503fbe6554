import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';

const directory = join(import.meta.dirname, '../../../shared/schemas');

/** Whether the official schemas lie beside the project; tests that need them skip visibly without. */
export const schemasGiven = existsSync(directory);

/** What the official schema says of a document: its mistakes, none where it is valid. */
export function validator(file: string): (document: unknown) => object[] {
  const schema = JSON.parse(readFileSync(join(directory, file), 'utf8')) as { $schema?: string };
  const options = { strict: false, allErrors: true, validateFormats: false } as const;
  const validate = (schema.$schema?.includes('2020-12') === true ? new Ajv2020(options) : new Ajv(options)).compile(schema);
  return (document) => (validate(document) ? [] : (validate.errors ?? []).slice(0, 5));
}
