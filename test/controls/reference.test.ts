import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { bindingKinds } from '../../src/controls/language/bindings/operand.ts';
import { combinators } from '../../src/controls/language/condition.ts';
import { conversions } from '../../src/controls/language/convert.ts';
import { lintRules } from '../../src/controls/catalogue/lint.ts';
import { operators } from '../../src/controls/language/operators.ts';
import { compileCheck } from '../../src/controls/language/compile.ts';
import { referenceTables, renewReference } from '../../src/controls/catalogue/language-reference.ts';
import { tableNames } from '../../src/controls/lookups/tables.ts';
import type { Json } from '../../src/model/index.ts';

const reference = readFileSync(join(import.meta.dirname, '../../docs/control-language.md'), 'utf8');

describe('docs/control-language.md', () => {
  test('its generated tables are current (node scripts/reference.ts renews them)', () => {
    expect(renewReference(reference)).toBe(reference);
    for (const name of Object.keys(referenceTables())) expect(reference).toContain(`<!-- ${name} -->\n|`);
  });

  test('lists every operator, conversion and lookup table', () => {
    for (const name of [...operators.map((operator) => operator.name), ...conversions.map((conversion) => conversion.name), ...tableNames])
      expect(reference).toContain(`| \`${name}\` |`);
  });

  test.each(operators.map((operator) => [operator.name, operator] as const))('the example of %s compiles', (name, operator) => {
    const condition = parse(operator.example) as Record<string, Json>;
    expect(condition[name]).toBeDefined();
    const names = [...operator.example.matchAll(/\$([a-z]+)/g)].map((found) => found[1] as string);
    const bindings = Object.fromEntries([...new Set(names)].map((variable) => [variable, 'configuration']));
    const parameters = { maxRotationDays: { name: 'maxRotationDays', type: 'integer' as const, default: 90, description: '' } };
    const { errors } = compileCheck(
      { id: 'main', title: 'T', provider: 'aws', definition: { on: 'AWS::S3::Bucket', let: bindings, require: condition }, at: [] },
      parameters,
    );
    expect(errors).toEqual([]);
  });

  test('lists every combinator and binding', () => {
    for (const word of combinators) expect(reference).toMatch(new RegExp(`\\| \`\\{ ${word}: `));
    for (const kind of bindingKinds) expect(reference, kind).toMatch(new RegExp(`\`\\{ ${kind}: `));
  });

  test('lists every rule of the lint', () => {
    for (const rule of lintRules) expect(reference).toContain(`\`${rule}\``);
  });
});
