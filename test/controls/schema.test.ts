import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { catalogueSchema } from '../../src/controls/catalogue/schema.ts';

const root = join(import.meta.dirname, '../..');
const validate = new Ajv({ strict: false, validateFormats: false }).compile(catalogueSchema());
const yaml = (file: string): unknown => parse(readFileSync(join(root, file), 'utf8'), { merge: true });
const files = readdirSync(join(root, 'controls'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => join('controls', file));

describe('editor schema of the catalogue', () => {
  test('the stored file is current (node scripts/schemas.ts writes it)', () => {
    expect(JSON.parse(readFileSync(join(root, 'controls.schema.json'), 'utf8'))).toEqual(JSON.parse(JSON.stringify(catalogueSchema())));
  });

  test('accepts controls.yaml', () => {
    expect(validate(yaml('controls.yaml')), JSON.stringify(validate.errors?.slice(0, 3))).toBe(true);
  });

  test.each(files)('accepts %s', (file) => {
    expect(validate(yaml(file)), JSON.stringify(validate.errors?.filter((error) => error.keyword !== 'anyOf').slice(0, 5))).toBe(true);
  });

  const control = { id: 'aws-x-y', title: 'T', section: 'S', level: 1, assessment: 'automated', on: 'AWS::S3::Bucket' };
  test.each([
    ['a misspelt operator', { field: 'a', equal: 1 }],
    ['two operators', { field: 'a', equals: 1, atLeast: 2 }],
    ['ifMissing without when', { field: 'a', equals: 1, ifMissing: { then: false } }],
    ['an empty all', { all: [] }],
    ['a wrong literal', { field: 'a', atLeast: '7' }],
    ['an unknown conversion', { field: 'a', as: 'hours', equals: 1 }],
    ['a shared condition without a name', { meets: ['a'] }],
    ['anything but a variable for what a shared condition needs', { meets: 'a', with: { key: 'configuration.key' } }],
    ['a lookup table that does not exist', { field: 'a', equals: { lookup: 'aws.kms.keys', by: 'b' } }],
  ])('rejects %s', (_name, require) => {
    expect(validate([{ ...control, require: { field: 'a', equals: 1 } }])).toBe(true);
    expect(validate([{ ...control, require }])).toBe(false);
  });

  test('knows shared conditions', () => {
    const condition = { field: '$key.x', equals: 1 };
    expect(
      validate([{ ...control, require: { meets: 'a-b', with: { key: '$other' }, id: 'x', otherwise: 'No', unknown: 'Who knows' } }]),
    ).toBe(true);
    expect(validate({ 'a-b': { title: 'T', needs: ['key'], condition } })).toBe(true);
    expect(validate({ 'a-b': { needs: ['key'], condition } })).toBe(false);
    expect(validate({ 'a b': { title: 'T', condition } })).toBe(false);
    expect(validate({ 'a-b': { title: 'T', condition: { ...condition, equal: 1 } } })).toBe(false);
  });
});
