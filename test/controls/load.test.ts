import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileCheck } from '../../src/controls/language/compile.ts';
import { compileControls, loadCatalogue } from '../../src/controls/catalogue/load.ts';
import { resolveParameters } from '../../src/controls/catalogue/parameters.ts';
import { catalogueOf, entry, head, problemsOf } from '../support/catalogues.ts';
import type { SharedConditions } from '../../src/controls/language/scope.ts';
import { subjectOf, surroundings } from '../support/language.ts';

describe('loading', () => {
  test('reads the entry and the included files, in the order of sections, with their digests', async () => {
    const one = `${head('aws-b')}  on: AWS::S3::Bucket\n  require: { field: a, equals: { param: maxDays } }\n`;
    const two = `${head('aws-a')}  question: Who?\n`.replace('automated', 'manual');
    const loaded = await loadCatalogue(
      catalogueOf({ 'controls.yaml': entry, 'controls/aws/z.yaml': one, 'controls/aws/a.yaml': two, 'controls/aws/notes.txt': 'no' }),
    );
    expect(loaded.controls.map(({ control }) => `${control.id} ${control.source}`)).toEqual([
      'aws-a controls/aws/a.yaml:1',
      'aws-b controls/aws/z.yaml:1',
    ]);
    expect(loaded.files.map(({ file }) => file)).toEqual(['controls.yaml', 'controls/aws/a.yaml', 'controls/aws/z.yaml']);
    expect(loaded.files[2]?.sha256).toBe(createHash('sha256').update(one).digest('hex'));
    expect(loaded.controls[0]?.checks).toEqual([{ kind: 'manual', id: 'main', title: 'T', question: 'Who?' }]);
  });

  test('reports every mistake of every file at once, each with its place and the nearest known word', async () => {
    const wrong = `${head('aws-one')}  on: AWS::S3::Bucket
  let:
    key: { lookup: aws.kms.key, by: $ssee.id }
    sse: { path: a..b }
  require:
    all:
    - { field: a, equal: 1 }
    - { field: b, atLeast: "7" }
    - { field: c, equals: 1, ifMissing: { then: false } }
    - { field: $kee.x, equals: 1 }
    - { field: d, equals: { param: maxDay } }
    - { field: e, as: second, atMost: 1 }
    - some: { in: list, where: { field: f, equals: 1 } }
    - { field: g, equals: 1, atLeast: 1 }
    - { fild: h, equals: 1 }
    - all: []
`;
    const other = `${head('aws-two').replace('AWS / Storage', 'AWS / Storages').replace('level: 2', 'level: 3')}  titel: x\n  on: AWS::S3::Bucket\n  require: { field: a, equals: 1 }\n${head('aws-one')}  on: AWS::S3::Bucket\n  require: { field: a, equals: 1 }\n`;
    expect(await problemsOf({ 'controls.yaml': entry, 'controls/aws/a.yaml': wrong, 'controls/aws/b.yaml': other })).toEqual([
      'controls/aws/a.yaml:8:33  unknown variable $ssee (declare it under `let`, before its first use)',
      expect.stringMatching(/^controls\/aws\/a\.yaml:9:\d+ {2}not a path at character 3: a\.\.b/),
      expect.stringMatching(/^controls\/aws\/a\.yaml:12:\d+ {2}unknown operator `equal` \(did you mean equals\?\)$/),
      expect.stringMatching(/^controls\/aws\/a\.yaml:13:\d+ {2}`atLeast` takes a number, not a text/),
      expect.stringMatching(/^controls\/aws\/a\.yaml:14:\d+ {2}`ifMissing` needs `when`/),
      expect.stringMatching(/^controls\/aws\/a\.yaml:15:\d+ {2}unknown variable \$kee \(did you mean \$key\?\)$/),
      expect.stringMatching(/^controls\/aws\/a\.yaml:16:\d+ {2}unknown parameter maxDay \(did you mean maxDays\?\)$/),
      expect.stringMatching(/^controls\/aws\/a\.yaml:17:\d+ {2}unknown conversion second \(did you mean seconds\?\)$/),
      expect.stringMatching(/^controls\/aws\/a\.yaml:18:\d+ {2}`as` must name the entry of the list/),
      expect.stringMatching(/^controls\/aws\/a\.yaml:19:\d+ {2}one operator a condition/),
      expect.stringMatching(/^controls\/aws\/a\.yaml:20:\d+ {2}a condition knows no `fild` \(did you mean field\?\)$/),
      expect.stringMatching(/^controls\/aws\/a\.yaml:21:\d+ {2}a list of one or more conditions/),
      expect.stringMatching(/^controls\/aws\/b\.yaml:4:\d+ {2}`level` /),
      expect.stringMatching(/^controls\/aws\/b\.yaml:6:3 {2}unknown key `titel` \(did you mean title\?\)$/),
      'controls/aws/b.yaml:3:3  unknown section AWS / Storages (did you mean AWS / Storage?)',
      expect.stringMatching(/^controls\/aws\/b\.yaml:9:\d+ {2}there is a control aws-one already \(at controls\/aws\/a\.yaml:1\)$/),
    ]);
  });

  test('tells mistakes in the conditions of a control that is wrong elsewhere too', async () => {
    const wrong = `${head('aws-One')}  on: AWS::S3::Bucket\n  require: { field: a, equal: 1 }\n${head('aws-two').replace('level: 2', 'level: 3')}  checks:\n  - id: one\n    on: AWS::S3::Bucket\n    require: { fild: a, equals: 1 }\n${head('storage')}  on: microsoft.storage/storageaccounts\n  require: { field: a, equals: $x }\n`;
    expect(await problemsOf({ 'controls.yaml': entry, 'controls/aws/a.yaml': wrong })).toEqual([
      expect.stringMatching(/^controls\/aws\/a\.yaml:1:\d+ {2}`id` an id begins with/),
      expect.stringMatching(/^controls\/aws\/a\.yaml:7:\d+ {2}unknown operator `equal`/),
      expect.stringMatching(/^controls\/aws\/a\.yaml:11:\d+ {2}`level` /),
      expect.stringMatching(/a condition knows no `fild` \(did you mean field\?\)$/),
      expect.stringMatching(/`id` an id begins with/),
    ]);
  });

  test.each([
    ['nothing to check', '', /checks nothing/],
    ['no require', '  on: AWS::S3::Bucket\n', /no `require`/],
    ['no type', '  require: { field: a, equals: 1 }\n', /says not what it is on/],
    [
      'a type of another provider',
      '  on: microsoft.storage/storageaccounts\n  require: { field: a, equals: 1 }\n',
      /no resource type of aws/,
    ],
    [
      'a verdict and a condition',
      '  verdict: { awsConfigRule: X }\n  on: AWS::S3::Bucket\n  require: { field: a, equals: 1 }\n',
      /exclude each other/,
    ],
    ['a verdict of another provider', '  verdict: { azurePolicy: 0a370ff3-6cab-4e85-8995-295fd854c5b8 }\n', /cannot rest on azurePolicy/],
    ['a question in an automated control', '  question: Who?\n', /assessment is automated/],
    ['an unknown section', '  on: AWS::S3::Bucket\n  require: { field: a, equals: 1 }\n', /unknown section Nowhere/],
    [
      'a bad aggregate',
      '  on: AWS::S3::Bucket\n  aggregate: { per: region, atLeast: -1 }\n  require: { field: a, equals: 1 }\n',
      /`per` is accountId or scope/,
    ],
    [
      'a hole that does not close',
      '  on: AWS::S3::Bucket\n  require: { field: a, equals: 1, otherwise: "x {a" }\n',
      /a sentence is needed/,
    ],
    [
      'a pattern of repeated alternatives',
      '  on: AWS::S3::Bucket\n  require: { field: a, matches: "^(a|a)*$" }\n',
      /without nested repetition/,
    ],
    ['a pattern of many runs', '  on: AWS::S3::Bucket\n  require: { field: a, matches: ".*.*.*x" }\n', /without nested repetition/],
    ['an exploding pattern', '  on: AWS::S3::Bucket\n  require: { field: a, matches: "(a+)+$" }\n', /without nested repetition/],
    [
      'a text cut at its comma',
      '  on: AWS::S3::Bucket\n  require: { field: a, equals: 1, otherwise: first, and second }\n',
      /unknown operator `and second` \(inside \{ \} a text with a comma must be quoted\)/,
    ],
    [
      'an exploding pattern in groups',
      '  on: AWS::S3::Bucket\n  require: { field: a, matches: "^((x|[a-z]+))*$" }\n',
      /without nested repetition/,
    ],
    ['mixed types in a set', '  on: AWS::S3::Bucket\n  require: { field: a, in: [x, 1] }\n', /a list of texts, of numbers or of booleans/],
    [
      'reading below a list of records',
      '  on: AWS::S3::Bucket\n  let: { k: { lookup: aws.kms.key, by: a, many: true } }\n  require: { field: $k.x, equals: 1 }\n',
      /is a list/,
    ],
    [
      'a variable twice',
      '  on: AWS::S3::Bucket\n  let: { k: { path: a } }\n  require: { some: { in: l, as: k, where: { field: $k, equals: 1 } } }\n',
      /already taken/,
    ],
    [
      'ifEmpty on none',
      '  on: AWS::S3::Bucket\n  require: { none: { in: l, as: k, ifEmpty: true, where: { field: $k, equals: 1 } } }\n',
      /belongs to `every`/,
    ],
    ['count without bounds', '  on: AWS::S3::Bucket\n  require: { count: { in: l, as: k } }\n', /needs `atLeast`/],
  ])('refuses %s', async (name, body, message) => {
    const text = `${name === 'an unknown section' ? head('aws-x').replace('AWS / Storage', 'Nowhere') : head('aws-x')}${body}`;
    const problems = await problemsOf({ 'controls.yaml': entry, 'controls/aws/a.yaml': text });
    expect(problems.join('\n')).toMatch(message);
    expect(problems.every((problem) => /^controls\/aws\/a\.yaml:\d+:\d+ {2}/.test(problem))).toBe(true);
  });

  test('a file that is not YAML, repeats a key or is no list says where', async () => {
    const problems = await problemsOf({
      'controls.yaml': entry,
      'controls/aws/a.yaml': `${head('aws-x')}  title: again\n`,
      'controls/aws/b.yaml': 'id: x\n',
      'controls/aws/c.yaml': '- { a: [ }\n',
    });
    expect(problems.some((problem) => /^controls\/aws\/a\.yaml:6:3 {2}.*unique/.test(problem))).toBe(true);
    expect(problems.some((problem) => /^controls\/aws\/b\.yaml:1:1 {2}a control file is a list of controls/.test(problem))).toBe(true);
    expect(problems.some((problem) => /^controls\/aws\/c\.yaml:1:\d+ {2}/.test(problem))).toBe(true);
  });

  test('includes that name nothing, or lead out, are mistakes', async () => {
    expect(await problemsOf({ 'controls.yaml': entry.replace('[controls/aws/*.yaml]', '[../x.yaml, none/*.yaml]') })).toEqual([
      expect.stringContaining('controls.yaml:6:11  ../x.yaml must be a path below this directory'),
      expect.stringContaining('none/*.yaml names no file'),
    ]);
  });

  test('a YAML alias bomb is refused', async () => {
    const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefgh'
      .split('')
      .map(
        (name, index) =>
          `${name}: &${name} [${Array(9)
            .fill(`*${'abcdefg'[index] ?? 'a'}`)
            .join(', ')}]`,
      )
      .join('\n')}\n`;
    expect((await problemsOf({ 'controls.yaml': entry, 'controls/aws/a.yaml': bomb })).join()).toMatch(/alias/);
  });

  test('compileControls judges a draft by the same rules', () => {
    expect(() => compileControls(`${head('aws-x')}  on: AWS::S3::Bucket\n  require: { field: a, equal: 1 }\n`)).toThrow(
      /controls\.yaml:7:\d+ {2}unknown operator `equal`/,
    );
    expect(compileControls(`${head('aws-x')}  on: AWS::S3::Bucket\n  require: { field: a, equals: 1 }\n`)).toHaveLength(1);
  });
});

test('whatever stands in a check, compiling reports and never throws', () => {
  const words = [
    'all',
    'any',
    'not',
    'some',
    'every',
    'none',
    'count',
    'meets',
    'field',
    'in',
    'as',
    'where',
    'let',
    'single',
    'ifMissing',
    'ifEmpty',
    'when',
    'then',
    'because',
    'equals',
    'contains',
    'matches',
    'present',
    'within',
    'type',
    'atLeast',
    'before',
    'olderThan',
    'sameAs',
    'path',
    'ref',
    'param',
    'literal',
    'text',
    'lookup',
    'by',
    'many',
    'first',
    'get',
    'decode',
    'split',
    'on',
    'at',
    'replace',
    'pattern',
    'with',
    'choose',
    'use',
    'readers',
    'id',
    'otherwise',
    'unknown',
    '__proto__',
    'constructor',
  ];
  const value: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom<unknown>(
        'a.b',
        '$e',
        '$x.y',
        'a["b',
        '(',
        'asOf+P1D',
        'json',
        '{a}',
        '{',
        '',
        0,
        -1,
        1.5,
        true,
        false,
        null,
        'aws.kms.key',
        'x',
      ),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.array(fc.tuple(fc.constantFrom(...words), tie('value')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
      fc
        .tuple(fc.constantFrom('equals', 'contains', 'matches', 'present', 'atLeast', 'before', 'in'), tie('value'))
        .map(([operator, expected]) => ({ field: 'a.b', [operator]: expected })),
      fc.tuple(fc.constantFrom('one', 'other'), tie('value')).map(([meets, given]) => ({ meets, with: given })),
      fc.constantFrom('one', 'other').map((meets) => ({ meets, with: { it: '$e' } })),
      fc
        .tuple(fc.constantFrom('some', 'every', 'none', 'first', 'all'), tie('value'))
        .map(([word, where]) =>
          word === 'first' || word === 'all' ? { [word]: 'a', as: 'e', where } : { [word]: { in: 'a', as: 'e', where } },
        ),
    ),
  })).value;
  const surrounding = surroundings();
  const shared: SharedConditions = new Map([
    ['one', { title: 'T', needs: ['it'], condition: { some: { in: '$it', as: 'e', where: { field: '$e', equals: 'x' } } }, at: [] }],
    ['other', { title: 'T', needs: [], condition: { field: 'a.b', contains: 'x', otherwise: 'No' }, at: [] }],
  ]);
  fc.assert(
    fc.property(value, value, value, (let_, when, require) => {
      const { check, errors } = compileCheck(
        { id: 'main', title: 'T', provider: 'azure', definition: { on: 'microsoft.a/b', let: let_, when, require }, at: [] },
        {},
        shared,
      );
      expect(check === undefined).toBe(errors.length > 0);
      if (check === undefined) return;
      expect(['pass', 'fail', 'unknown', 'notapplicable']).toContain(
        check.evaluate(subjectOf({ a: { b: ['x'] } }, 'azure'), surrounding).status,
      );
    }),
    { numRuns: 1000 },
  );
  const alone = fc
    .sample(value, { numRuns: 3000, seed: 5 })
    .filter(
      (require) =>
        compileCheck({ id: 'main', title: 'T', provider: 'aws', definition: { on: 'AWS::A::B', require }, at: [] }, {}).check !== undefined,
    );
  expect(alone.length).toBeGreaterThan(20);
});

describe('parameters', () => {
  const declared = {
    parameters: {
      maxDays: { name: 'maxDays', type: 'integer' as const, default: 90, description: '' },
      names: { name: 'names', type: 'list' as const, default: ['a'], description: '' },
    },
  };

  test('defaults, overrides, and mistakes by name', () => {
    expect(resolveParameters(declared, { maxDays: 30 })).toEqual({ parameters: { maxDays: 30, names: ['a'] }, mistakes: [] });
    expect(resolveParameters(declared, { maxDay: 30, names: 'a', maxDays: 1.5 }).mistakes).toEqual([
      { name: 'maxDay', message: 'unknown parameter maxDay (did you mean maxDays?)' },
      { name: 'names', message: 'the parameter names must be a list of texts or of numbers' },
      { name: 'maxDays', message: 'the parameter maxDays must be a whole number' },
    ]);
    expect(resolveParameters(declared, JSON.parse('{"__proto__": 1}') as Record<string, unknown>).mistakes).toHaveLength(1);
  });

  test('a default of the wrong type, or of a type the operator does not take, is a mistake', async () => {
    expect(
      await problemsOf({
        'controls.yaml': entry.replace('default: 90', 'default: ninety'),
        'controls/aws/a.yaml': `${head('aws-x')}  question: Q\n`.replace('automated', 'manual'),
      }),
    ).toEqual([expect.stringContaining('the default of maxDays must be a whole number')]);
    expect(
      (
        await problemsOf({
          'controls.yaml': entry,
          'controls/aws/a.yaml': `${head('aws-x')}  on: AWS::S3::Bucket\n  require: { field: a, matches: { param: maxDays } }\n`,
        })
      ).join(),
    ).toMatch(/the parameter maxDays is a number/);
  });
});
