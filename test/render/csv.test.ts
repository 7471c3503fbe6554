import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { csvCell } from '../../src/render/csv.ts';
import { linesCell } from '../../src/render/tables/table.ts';
import { render } from '../../src/render/index.ts';
import type { Access, Assessment, Readers } from '../../src/model/index.ts';
import { visibleLines } from '../../src/text/visible.ts';
import { writeFixture } from '../support/assessment.ts';

/** Records of an RFC 4180 file. */
function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let field = '';
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (quoted) {
      if (character === '"' && text[at + 1] === '"') {
        field += '"';
        at += 1;
      } else if (character === '"') quoted = false;
      else field += character;
    } else if (character === '"') quoted = true;
    else if (character === ',') {
      record.push(field);
      field = '';
    } else if (character === '\r' && text[at + 1] === '\n') {
      record.push(field);
      records.push(record);
      record = [];
      field = '';
      at += 1;
    } else field += character;
  }
  return records;
}

describe('csvCell', () => {
  test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\n=1', ' =1', '|cmd', '%x', '＝1+1', '\u00a0=1'])('guards %j', (text) => {
    expect(csvCell(text).replace(/^"/, '')).toMatch(/^'/);
  });
  test('never touches numbers, and quotes what needs it', () => {
    expect(csvCell(-5)).toBe('-5');
    expect(csvCell('a,"b"\nc')).toBe('"a,""b""\nc"');
    expect(csvCell('arn:aws:s3:::x')).toBe('arn:aws:s3:::x');
    expect(csvCell(null)).toBe('');
    expect(csvCell('a\u0000b')).toBe('a[U+0000]b');
    expect(csvCell('a; b\tc\r\nd - e')).toBe('"a; b\tc\nd - e"');
  });
  test.each(['x;=1', 'x; @SUM(A1)', 'x\t+1', 'x\n=1', 'x\r\n  -1'])('guards %j against other separators', (text) => {
    for (const cell of csvCell(text)
      .slice(1, -1)
      .split(/[;\t\n]/))
      expect(cell).not.toMatch(/^\s*[=+\-@]/);
  });
  test('spells out what cannot be seen or turns the text around', () => {
    expect(csvCell('a\u202etxt.exe\u200b\r')).toBe('a[U+202E]txt.exe[U+200B][U+000D]');
  });
});

test('a cell holds no more than a spreadsheet reads, and says what it leaves out', () => {
  expect(linesCell(['a', 'b'], 'x.json')).toBe('a\nb');
  const many = Array.from({ length: 100 }, (_, at) => `${String(at)} ${'x'.repeat(997)}`);
  const cell = linesCell(many, 'x.json');
  expect(cell.length).toBeLessThan(32_767);
  const shown = cell.split('\n').length - 1;
  expect(cell).toContain(many[shown - 1]);
  expect(cell.endsWith(`\n(${String(100 - shown)} more: x.json)`)).toBe(true);
  expect(linesCell(['y'.repeat(40_000)], 'x.json')).toBe('(1 more: x.json)');
});

describe('the files of a run', () => {
  const directory = mkdtempSync(join(tmpdir(), 'exhibit-csv-'));
  let assessment: Assessment;
  const read = (name: string): string[][] => parseCsv(readFileSync(join(directory, 'results', name), 'utf8').replace(/^\ufeff/, ''));
  beforeAll(async () => {
    assessment = writeFixture(directory, { observations: 300, hostile: true });
    writeFileSync(join(directory, 'results', 'observations.csv.4242.tmp'), 'half');
    const formats = ['observations-csv', 'findings-csv', 'reconciliation-csv', 'access-csv', 'readers-csv', 'exceptions-csv'] as const;
    await render({ runDirectory: directory, signing: null, log: () => undefined, formats });
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('every observation is a record, none can be a formula', () => {
    const [header = [], ...records] = read('observations.csv');
    expect(records).toHaveLength(assessment.findings.reduce((sum, finding) => sum + finding.observations.count, 0));
    for (const record of records) {
      expect(record).toHaveLength(header.length);
      for (const field of record) expect(field).not.toMatch(/^[=+\-@\t\r]/);
    }
  });
  test('what a killed render left is gone, and what made the files is recorded', () => {
    expect(existsSync(join(directory, 'results', 'observations.csv.4242.tmp'))).toBe(false);
    const record = JSON.parse(readFileSync(join(directory, 'results', 'rendering.json'), 'utf8')) as {
      files: { file: string }[];
      browser: unknown;
    };
    expect(record.files.map(({ file }) => file)).toEqual([
      'results/observations.csv',
      'results/findings.csv',
      'results/reconciliation.csv',
      'results/access.csv',
      'results/readers.csv',
      'results/exceptions.csv',
    ]);
    expect(record.browser).toBeNull();
  });
  test('every exception is a record, with whether it is in force and how many failures it is attached to', () => {
    const [header = [], ...records] = read('exceptions.csv');
    expect(assessment.waivers.length).toBeGreaterThan(1);
    expect(records.map((record) => [record[0], record[header.indexOf('state')], record[header.indexOf('failures')]])).toEqual(
      assessment.waivers.map(({ id, expired, used }) => [id, expired === true ? 'expired' : 'in-force', String(used)]),
    );
    expect(records.map((record) => record[header.indexOf('expires')])).toEqual(assessment.waivers.map(({ expires }) => expires));
  });
  test('every finding and reconciliation row is a record', () => {
    expect(read('findings.csv')).toHaveLength(assessment.findings.length + 1);
    expect(read('reconciliation.csv')).toHaveLength(assessment.reconciliation.length + 1);
  });
  test('both tables of access say what access.ndjson and readers.ndjson say, and no line is there twice', () => {
    const json = <T>(name: string): T[] =>
      readFileSync(join(directory, 'results', name), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as T);
    const plain = (text: string): string => text.replace(/^'/, '');
    const [stores, sets] = [read('access.csv').slice(1), read('readers.csv').slice(1)];
    const all = json<Access>('access.ndjson');
    expect(stores).toHaveLength(assessment.access.stores);
    expect(stores.map((record) => [plain(record[2] ?? ''), record[14]])).toEqual(
      all.map(({ subject, readers }) => [visibleLines(subject.uid), readers]),
    );
    for (const { id, world, complete, principals, unsettled } of json<Readers>('readers.ndjson')) {
      const own = sets.filter((record) => record[0] === id);
      const sharing = stores.filter((record) => record[14] === id);
      const distinct = new Set(principals.map(({ principal }) => principal)).size;
      const wide = principals.some((one) => one.wide);
      for (const record of sharing)
        expect(record.slice(8, 14)).toEqual([world, complete, wide, distinct, principals.length, unsettled.length].map(String));
      const entries = [
        ...(principals.length === 0 ? ['no-reader-found'] : principals.map(() => 'reader')),
        ...unsettled.map(() => 'unsettled'),
      ];
      expect(own.map((record) => [record[1], record[2]])).toEqual(entries.map((entry) => [String(sharing.length), entry]));
      principals.forEach((one, at) => {
        const [, , , principal = '', kind = '', via = '', inherited = '', conditional, isWide, citation = '', through = ''] = own[at] ?? [];
        expect([principal, kind, via, inherited].map(plain)).toEqual(
          [one.principal, one.kind, one.via, one.inheritedFrom ?? ''].map((text) => visibleLines(text)),
        );
        expect([conditional, isWide]).toEqual([String(one.conditional), String(one.wide)]);
        expect(citation).toContain(`${one.citation.file}#${one.citation.pointer}`);
        expect(through.split('\n').map((place) => place.replace(' (JSON in a string)', ''))).toEqual(
          one.through?.map(({ file, pointer }) => `${file}#${pointer}`) ?? [''],
        );
      });
      expect(own.slice(entries.length - unsettled.length).map((record) => plain(record[11] ?? ''))).toEqual(
        unsettled.map((text) => visibleLines(text)),
      );
    }
    expect(new Set(sets.map((record) => record.join('\n'))).size).toBe(sets.length);
  });
  test('an account is also part of a text that no spreadsheet makes a number of', () => {
    const [header = [], ...records] = read('reconciliation.csv');
    const at = (name: string): number => header.indexOf(name);
    for (const record of records)
      expect(record[at('scope')]).toBe([record[at('provider')], record[at('account')], record[at('region')]].join('/'));
  });
});
