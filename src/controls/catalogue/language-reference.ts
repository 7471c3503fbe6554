import { conversions } from '../language/convert.ts';
import { operators } from '../language/operators.ts';
import { lookupTable, tableFamilies, tableNames } from '../lookups/tables.ts';

/** The generated parts of docs/control-language.md: each stands below its marker, `<!-- operators -->`. */
export function referenceTables(): Record<string, string> {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const rows = (head: readonly string[], body: readonly (readonly string[])[]): string =>
    [head, head.map(() => '---'), ...body].map((row) => (row[0] === '---' ? `|${row.join('|')}|` : `| ${row.join(' | ')} |`)).join('\n');
  return {
    operators: rows(
      ['operator', 'true when the field…', 'field', 'expected', 'example'],
      [
        [
          '`present`',
          'Is there (`true`) or is not (`false`). See [Absence](#absence).',
          'any',
          'true or false',
          '`{ field: configuration.kmsKeyId, present: true }`',
        ],
        ...operators.map(({ name, summary, observed, expected, example }) => [
          `\`${name}\``,
          cell(summary),
          observed.join(', '),
          cell(expected),
          `\`${cell(example)}\``,
        ]),
      ],
    ),
    conversions: rows(
      ['conversion', 'takes and gives'],
      conversions.map(({ name, summary }) => [`\`${name}\``, cell(summary)]),
    ),
    tables: rows(
      ['table', 'holds', '`many`'],
      [
        ...tableNames.map((name) => [`\`${name}\``, cell(lookupTable(name)?.title ?? ''), lookupTable(name)?.many === true ? 'yes' : '']),
        ...Object.entries(tableFamilies).map(([name, { title, of }]) => [`\`${name}:<type>\``, cell(title), of('x').many ? 'yes' : '']),
      ],
    ),
  };
}

/** The reference with its generated parts renewed. */
export function renewReference(text: string): string {
  let renewed = text;
  for (const [name, table] of Object.entries(referenceTables()))
    renewed = renewed.replace(new RegExp(`<!-- ${name} -->(?:\\n\\|.*)*`), () => `<!-- ${name} -->\n${table}`);
  return renewed;
}
