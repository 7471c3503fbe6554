import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { explainControl } from '../../src/controls/catalogue/explain.ts';
import { lintCatalogue } from '../../src/controls/catalogue/lint.ts';
import { formatProblem, loadCatalogue, loadCatalogueSources } from '../../src/controls/catalogue/load.ts';
import type { ConditionCheck } from '../../src/controls/types.ts';
import type { JsonObject } from '../../src/model/index.ts';
import { catalogueOf, head, problemsOf } from '../support/catalogues.ts';
import { record, subjectOf, surroundings } from '../support/language.ts';

const entry = `name: Test
version: 1.2.3
parameters:
  least: { type: integer, default: 2, description: Least }
sections: [AWS / Storage]
include: [controls/*.yaml]
conditions: [shared/*.yaml]
`;

const shared = `key-in-use:
  title: the key is in use
  needs: [key, grants]
  condition:
    any:
    - { field: $key.configuration.enabled, equals: true }
    - all:
      - { field: $key.configuration.count, atLeast: { param: least } }
      - some: { in: $grants, as: grant, where: { field: $grant.on, equals: true } }
`;

const lets = `  let:
    key: { lookup: aws.kms.key, by: configuration.key }
    grants: { path: configuration.grants }
    other: { lookup: aws.kms.key, by: configuration.other }
    otherGrants: { path: configuration.otherGrants }
`;

const files = (control: string, conditions = shared): Record<string, string> => ({
  'controls.yaml': entry,
  'controls/a.yaml': control,
  'shared/keys.yaml': conditions,
});

const using = (require: string): string => `${head('aws-x')}  on: AWS::S3::Bucket\n${lets}  require:\n${require}`;

async function checkOf(control: string, conditions = shared): Promise<ConditionCheck> {
  const { controls } = await loadCatalogue(catalogueOf(files(control, conditions)));
  return controls[0]?.checks[0] as ConditionCheck;
}

const twice = `    all:
    - { id: own, meets: key-in-use, otherwise: The key is idle, unknown: "Who knows {configuration.key}" }
    - { id: other, meets: key-in-use, with: { key: $other, grants: $otherGrants } }
`;
const written = (id: string, key: string, grants: string, sentences: string): string => `    - id: ${id}
${sentences}      any:
      - { field: $${key}.configuration.enabled, equals: true }
      - all:
        - { field: $${key}.configuration.count, atLeast: { param: least } }
        - some: { in: $${grants}, as: grant, where: { field: $grant.on, equals: true } }
`;
const twiceWritten = `    all:
${written('own', 'key', 'grants', '      otherwise: The key is idle\n      unknown: "Who knows {configuration.key}"\n')}${written('other', 'other', 'otherGrants', '')}`;

describe('a shared condition', () => {
  const key = (uid: string, configuration: JsonObject): [string, ReturnType<typeof record>] => [uid, record(uid, { configuration })];
  const records = new Map([
    key('on', { enabled: true }),
    key('off', { enabled: false, count: 1 }),
    key('many', { enabled: false, count: 3 }),
    key('damaged', { enabled: 'yes' }),
  ]);
  const environment = {
    ...surroundings(),
    parameters: { least: 2 },
    lookup: (_table: string, by: unknown) => {
      const found = records.get(String(by));
      return found === undefined
        ? { outcome: 'unknown' as const, because: 'it was not collected' }
        : { outcome: 'found' as const, records: [found], complete: true };
    },
  };

  test('comes out as if it stood where it is used: status, reason, leaves and what is read', async () => {
    const [met, stood] = await Promise.all([checkOf(using(twice)), checkOf(using(twiceWritten))]);
    expect([...met.reads]).toEqual([...stood.reads]);
    expect(met.subjectReads).toEqual(stood.subjectReads);
    const seen = new Set<string>();
    for (const one of ['on', 'off', 'many', 'damaged', 'gone'])
      for (const other of ['on', 'off', 'many', 'damaged', 'gone'])
        for (const grants of [[{ on: true }], [{ on: false }], [], [{}], null]) {
          const subject = subjectOf({ configuration: { key: one, other, grants, otherGrants: [{ on: false }, ...(grants ?? [])] } });
          const outcome = met.evaluate(subject, environment);
          expect(JSON.parse(JSON.stringify(outcome))).toEqual(JSON.parse(JSON.stringify(stood.evaluate(subject, environment))));
          seen.add(`${outcome.status}: ${outcome.reason}`);
        }
    expect(seen).toContain('fail: The key is idle');
    expect(seen).toContain('unknown: Who knows gone');
    expect([...seen].filter((one) => one.startsWith('pass'))).toHaveLength(1);
  });

  test('gives evidence under the ids and the variables of where it is used', async () => {
    const check = await checkOf(using(twice));
    const { leaves } = check.evaluate(subjectOf({ configuration: { key: 'on', other: 'many', otherGrants: [{ on: true }] } }), environment);
    expect(leaves.filter(({ operator }) => operator !== 'lookup').map(({ id, path }) => `${id} ${path}`)).toEqual([
      'own.1 $key.configuration.enabled',
      'other.1 $other.configuration.enabled',
      'other.2.1 $other.configuration.count',
      'other.2.2 $otherGrants',
      'other.2.2 $grant.on',
    ]);
  });

  test('may stand in a list, under not, in a binding, and in another shared condition', async () => {
    const nested = `${shared}either-in-use:
  title: one of two keys is in use
  needs: [first, second, grants]
  condition:
    any:
    - { meets: key-in-use, with: { key: $first } }
    - { meets: key-in-use, with: { key: $second } }
`;
    const check = await checkOf(
      using(`    all:
    - not: { meets: key-in-use, with: { key: $other } }
    - some:
        in: configuration.keys
        as: name
        let:
          near: { lookup: aws.kms.key, by: $name }
          text: { choose: [ { when: { meets: key-in-use, with: { key: $near } }, use: { literal: used } }, { use: { literal: idle } } ] }
        where:
          all: [ { field: $text, equals: used }, { id: deep, meets: either-in-use, with: { first: $key, second: $near } } ]
`),
      nested,
    );
    const subject = subjectOf({ configuration: { key: 'off', other: 'off', keys: ['off', 'on'], grants: [] } });
    const { status, leaves } = check.evaluate(subject, environment);
    expect(status).toBe('pass');
    expect(leaves.map(({ id, path }) => `${id} ${path}`)).toContain('2.deep.2.1 $near.configuration.enabled');
  });

  test('has a sentence of its own where its use has none', async () => {
    const conditions = 'big:\n  title: it is big\n  condition: { all: [ { field: size, atLeast: 5 } ], otherwise: It is small }\n';
    const reason = async (require: string): Promise<string> =>
      (await checkOf(`${head('aws-x')}  on: AWS::S3::Bucket\n  require: ${require}\n`, conditions)).evaluate(
        subjectOf({ size: 1 }),
        environment,
      ).reason;
    expect(await reason('{ meets: big }')).toBe('It is small');
    expect(await reason('{ meets: big, otherwise: "Only {size}" }')).toBe('Only 1');
  });

  test('is among the files of the catalogue, with its digest', async () => {
    const { files: read } = await loadCatalogue(catalogueOf(files(using(twice))));
    expect(read.map(({ file }) => file)).toEqual(['controls.yaml', 'shared/keys.yaml', 'controls/a.yaml']);
    expect(read[1]?.sha256).toBe(createHash('sha256').update(shared).digest('hex'));
  });

  test('is explained under its title, with the variables of where it is used', async () => {
    const { controls } = await loadCatalogue(catalogueOf(files(using(twice))));
    expect(controls[0] === undefined ? '' : explainControl(controls[0])).toContain(`It passes where
  - the key is in use:
    - at least one of these:
      - $key.configuration.enabled is true
      - all of these:
        - $key.configuration.count is at least the parameter least
        - at least one entry $grant of $grants, for which
          - $grant.on is true
  - the key is in use:
    - at least one of these:
      - $other.configuration.enabled is true
      - all of these:
        - $other.configuration.count is at least the parameter least
        - at least one entry $grant of $otherGrants, for which
          - $grant.on is true
`);
  });
});

describe('mistakes', () => {
  const use = (require: string): string => using(`    ${require}\n`);

  test.each([
    ['an unknown name', '{ meets: key-in-us }', '13:7  unknown shared condition key-in-us (did you mean key-in-use?)'],
    [
      'a name near to none',
      '{ meets: zzz }',
      '13:7  unknown shared condition zzz (they stand in the files that `conditions` in controls.yaml names)',
    ],
    ['no name', '{ meets: [key-in-use] }', '13:7  `meets` takes the name of a shared condition'],
    ['a variable that is not there', '{ meets: key-in-use, with: { key: $kye } }', '13:34  unknown variable $kye (did you mean $key?)'],
    ['a path for a variable', '{ meets: key-in-use, with: { key: $key.x } }', '13:34  `with` gives a variable as it is (key: $variable)'],
    ['an unknown need', '{ meets: key-in-use, with: { kee: $key } }', '13:34  key-in-use needs no $kee (did you mean key?)'],
    [
      'a list for `with`',
      '{ meets: key-in-use, with: [$key] }',
      '13:26  `with` is a map of names to variables (with: { needed: $variable })',
    ],
    [
      'an unknown word beside it',
      '{ meets: key-in-use, because: x }',
      '13:26  `meets` knows no `because` (it knows meets, id, otherwise, unknown, with)',
    ],
    [
      'another combinator beside it',
      '{ meets: key-in-use, any: [] }',
      '12:3  `any` and `meets` cannot stand in one condition (put them into a list under `all`)',
    ],
  ])('%s is reported where it is used', async (_name, require, problem) => {
    expect(await problemsOf(files(use(require)))).toEqual([expect.stringContaining(`controls/a.yaml:${problem}`)]);
  });

  test('a needed variable that is not declared there is reported there', async () => {
    const control = `${head('aws-x')}  on: AWS::S3::Bucket\n  let: { key: { path: a } }\n  require: { meets: key-in-use }\n`;
    expect(await problemsOf(files(control))).toEqual([
      'controls/a.yaml:8:14  key-in-use needs $grants, which is not declared here (declare it, or say which variable it is: with: { grants: $… })',
    ]);
  });

  test('what only its use makes wrong is reported there', async () => {
    const clash = '{ some: { in: configuration.l, as: grant, where: { meets: key-in-use } } }';
    expect(await problemsOf(files(use(clash)))).toEqual([
      expect.stringMatching(/^controls\/a\.yaml:13:47 {2}key-in-use cannot stand here: \$grant is already taken/),
    ]);
    const list = using('    { meets: key-in-use, with: { key: $many } }\n').replace(
      '  require',
      '    many: { lookup: aws.kms.key, by: a, many: true }\n  require',
    );
    expect(await problemsOf(files(list))).toEqual([
      expect.stringMatching(/^controls\/a\.yaml:13:3 {2}key-in-use cannot stand here: \$many is a list/),
    ]);
  });

  test('those within it are reported once, in its own file, whether or not it is used', async () => {
    const wrong = shared
      .replace('equals: true }', 'equal: true }')
      .replace('$grant.on', '$grants2.on')
      .replace('param: least', 'param: lest');
    const expected = [
      'shared/keys.yaml:6:44  unknown operator `equal` (did you mean equals?)',
      'shared/keys.yaml:8:55  unknown parameter lest (did you mean least?)',
      'shared/keys.yaml:9:50  unknown variable $grants2 (did you mean $grants?)',
    ];
    expect(await problemsOf(files(using(twice), wrong))).toEqual(expected);
    expect(await problemsOf(files(use('{ field: a, equals: 1 }'), wrong))).toEqual(expected);
  });

  test.each([
    [
      'a variable that it does not name',
      shared.replace('[key, grants]', '[key]'),
      '9:17  unknown variable $grants (name it under `needs`)',
    ],
    [
      'a need that it does not read',
      shared.replace('[key, grants]', '[key, grants, spare]'),
      '3:24  the condition does not read $spare (leave it out)',
    ],
    ['a need twice', shared.replace('[key, grants]', '[key, grants, key]'), '3:24  $key is already taken (choose another name)'],
    ['a need that names no variable', shared.replace('[key, grants]', '[key, grants, a.b]'), '3:24  `a.b` cannot name a variable'],
    ['no title', shared.replace('  title: the key is in use\n', ''), '2:3  `title` is missing'],
    ['a word too many', shared.replace('title', 'titel: x\n  title'), '2:3  unknown key `titel` (did you mean title?)'],
    ['no condition', 'key-in-use:\n  title: T\n', '2:3  `condition` is missing'],
    [
      'an id of its own',
      'key-in-use:\n  title: T\n  condition: { id: x, field: a, equals: 1 }\n',
      '3:16  a shared condition gets its id where it is used',
    ],
    [
      'a name with blanks',
      'key-in-use:\n  title: T\n  condition: { field: a, equals: 1 }\nkey in use:\n  title: T\n  condition: { field: a, equals: 1 }\n',
      '4:1  `key in use` cannot name a shared condition',
    ],
    ['a list of conditions', '- key-in-use\n', '1:1  a file of shared conditions is a map of their names'],
    ['no YAML', 'key-in-use: { a: [ }\n', '1:'],
  ])('%s', async (_name, conditions, problem) => {
    const [first] = await problemsOf(files(use('{ field: a, equals: 1 }'), conditions));
    expect(first).toContain(`shared/keys.yaml:${problem}`);
  });

  test('a circle is reported where it closes, beside the other mistakes in it', async () => {
    const condition = (name: string, met: string, operator = 'equals'): string =>
      `${name}:\n  title: T\n  condition: { any: [ { meets: ${met} }, { field: x, ${operator}: 1 } ] }\n`;
    const circle = `${condition('a', 'b')}${condition('b', 'c', 'equal')}${condition('c', 'a')}${condition('d', 'd')}`;
    const problems = await problemsOf(files(use('{ all: [ { meets: a }, { meets: c }, { meets: d } ] }'), circle));
    expect(problems.sort()).toEqual([
      'shared/keys.yaml:12:25  d meets itself (d → d)',
      'shared/keys.yaml:6:49  unknown operator `equal` (did you mean equals?)',
      'shared/keys.yaml:9:25  a meets itself (a → b → c → a)',
    ]);
  });

  test('a name that two files give is reported with the place of the first', async () => {
    const problems = await problemsOf({ ...files(use('{ meets: key-in-use }')), 'shared/more.yaml': `\n${shared}` });
    expect(problems).toEqual(['shared/more.yaml:2:1  there is a shared condition key-in-use already (at shared/keys.yaml:1)']);
  });

  test('files that are not there, or lie elsewhere', async () => {
    const control = use('{ field: a, equals: 1 }');
    const named = (list: string): Promise<string[]> =>
      problemsOf({ ...files(control), 'controls.yaml': entry.replace('[shared/*.yaml]', list) });
    expect(await named('[none/*.yaml, ../x.yaml]')).toEqual([
      'controls.yaml:7:14  none/*.yaml names no file',
      expect.stringContaining('controls.yaml:7:27  ../x.yaml must be a path below this directory'),
    ]);
  });
});

describe('lint', () => {
  async function doubts(control: string, conditions: string): Promise<string[]> {
    const loaded = await loadCatalogueSources(catalogueOf(files(control, conditions)));
    return lintCatalogue(loaded, { cases: null })
      .filter(({ rule }) => rule !== 'missing-prose' && rule !== 'unused-parameter')
      .map((problem) => `${problem.rule ?? ''} ${formatProblem(problem)}`);
  }

  test('absence that leads towards a pass is doubted in its file, once, by the way it leads where it is used', async () => {
    const conditions = 'closed:\n  title: it is closed\n  needs: [it]\n  condition: { field: $it.open, present: false }\n';
    const control = (require: string): string =>
      `${head('aws-x')}  on: AWS::S3::Bucket\n  let: { a: { path: configuration.a }, b: { path: configuration.b } }\n  require: ${require}\n`;
    const towards = '{ all: [ { meets: closed, with: { it: $a } }, { meets: closed, with: { it: $b } } ] }';
    expect(await doubts(control(towards), conditions)).toEqual([
      expect.stringMatching(/^absence-decides shared\/keys\.yaml:4:3 {2}the absence of \$a\.open leads towards a pass here/),
    ]);
    expect(await doubts(control(towards.replaceAll(/\{ meets([^}]*\}) \}/g, '{ not: { meets$1 } }')), conditions)).toEqual([]);
    const said = conditions.replace('present: false', 'present: false, because: it is left out where it is closed');
    expect(await doubts(control(towards), said)).toEqual([]);
    expect((await checkOf(control(towards), said)).absences.map(({ path }) => path)).toEqual(['$a.open', '$b.open']);
  });

  test('variables and parameters that only a shared condition reads are used; lookups in it are looked at once', async () => {
    const conditions = shared
      .replace('$grant.on', '$role.on')
      .replace('as: grant,', 'as: grant, let: { role: { lookup: aws.iam.rol, by: $grant.role } },');
    const loaded = await loadCatalogueSources(catalogueOf(files(using(twice), conditions)));
    const problems = lintCatalogue(loaded, { cases: null }).filter(({ rule }) => rule !== 'missing-prose');
    expect(problems.map(formatProblem)).toEqual([
      expect.stringMatching(/^shared\/keys\.yaml:9:\d+ {2}unknown lookup table aws\.iam\.rol /),
    ]);
  });

  test('one that no control meets', async () => {
    const idle = `${shared}idle:\n  title: T\n  needs: [key, grants]\n  condition: { not: { meets: key-in-use } }\n`;
    expect(await doubts(using(twice), idle)).toEqual([
      'unused-condition shared/keys.yaml:10:1  no control meets the shared condition idle',
    ]);
  });
});
