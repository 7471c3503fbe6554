import { z } from 'zod';
import { configSchema } from './schema.ts';

/** JSON schema of exhibit.yaml for editors (`# yaml-language-server: $schema=…/exhibit.schema.json`). */
export function editorSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' });
  return { ...schema, title: 'exhibit.yaml', description: 'An audit engagement: what to collect, what counts as critical, how to sign.' };
}
