import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { render, reportFormats } from '../../src/render/index.ts';
import { forbiddenConstructs } from '../../src/render/templates.ts';
import type { Assessment } from '../../src/model/index.ts';
import { writeFixture } from '../support/assessment.ts';

const directory = mkdtempSync(join(tmpdir(), 'exhibit-html-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let assessment: Assessment;
let html = '';

beforeAll(async () => {
  assessment = writeFixture(directory, { observations: 800, hostile: true, huge: true });
  await render({ runDirectory: directory, signing: null, log: () => undefined, formats: ['html'] });
  html = readFileSync(join(directory, 'report.html'), 'utf8');
});

const blocksOf = (name: string): unknown[] =>
  [...html.matchAll(new RegExp(`<script type="text/plain" class="${name}">([^<]*)</script>`, 'g'))].map(
    ([, data = '']) => JSON.parse(inflateSync(Buffer.from(data, 'base64')).toString('utf8')) as unknown,
  );

describe('report.html', () => {
  test('holds nothing from outside and nothing that acts', () => {
    const body = html.replace(/<style>[^]*?<\/style>/, '').replace(/<script[^>]*>[^]*?<\/script>/g, '');
    expect(forbiddenConstructs(body)).toEqual([]);
    expect(/<script/i.test(body)).toBe(false);
    expect(/\ssrc=/.test(body)).toBe(false);
  });

  test('its policy allows its own style and script by digest, and no more', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? '';
    const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    const style = /<style>([^]*?)<\/style>/.exec(html)?.[1] ?? '';
    const script = /<script>([^]*?)<\/script>/.exec(html)?.[1] ?? '';
    expect(style.length).toBeGreaterThan(1000);
    expect(script.length).toBeGreaterThan(1000);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`style-src ${digest(style)}`);
    expect(policy).toContain(`script-src ${digest(script)}`);
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(html.indexOf('Content-Security-Policy')).toBeLessThan(html.indexOf('<style>'));
  });

  test('the time of capture stands with the record of the subject, whatever else is cited', () => {
    const cited = [...html.matchAll(/<p class="cites">(.*?)<\/p>/g)].map(([, cites = '']) =>
      [...cites.matchAll(/<span class="role">(.*?)<\/span>(.*?)<\/span>/g)].map(([, role, rest = '']) => [
        role,
        rest.includes('captured '),
      ]),
    );
    expect(cited.some((records) => records.length > 1)).toBe(true);
    for (const [role, captured] of cited.flat()) expect(captured, role as string).toBe(role === 'subject');
  });

  test('hostile names are text', () => {
    expect(html.includes('&lt;script&gt;alert(1)&lt;/script&gt;')).toBe(true);
    expect(html.includes('<script>alert')).toBe(false);
    expect(html.includes('\u202e')).toBe(false);
    expect(html.includes('[U+202E]')).toBe(true);
    expect(html.includes('1,000,000 characters in all')).toBe(true);
    expect(html.length).toBeLessThan(4_000_000);
  });

  test('has every control, and every section', () => {
    for (const { control } of assessment.findings) expect(html.includes(`id="control-${control.id}"`)).toBe(true);
    for (const id of [
      'summary',
      'scope',
      'method',
      'limitations',
      'find',
      'controls',
      'access',
      'exceptions',
      'coverage',
      'reconciliation',
      'evidence',
      'versions',
      'redactions',
      'signature',
    ])
      expect(html.includes(`id="${id}"`)).toBe(true);
    expect(html.includes('Untested is not passed')).toBe(true);
    for (const [, target = ''] of html.matchAll(/href="#([^"?]+)"/g)) expect(html.includes(`id="${target}"`)).toBe(true);
  });

  test('the explorer has every observation once, in order, with its details', () => {
    const ids = readFileSync(join(directory, 'results', 'observations.ndjson'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: string }).id);
    const details = blocksOf('x-detail').flat() as [string, string, string, unknown[], [string, string, string, string][]][];
    expect(details.map(([id]) => id)).toEqual(ids);
    expect((blocksOf('x-index') as { uid: string[] }[]).flatMap((block) => block.uid)).toHaveLength(ids.length);
    const command = details
      .flatMap(([, , , , citations]) => citations.map(([, , , text]) => text))
      .find((text) => text.includes('fromjson'));
    expect(command).toMatch(/^unzip -p pack\.zip data\/evidence\/[A-Za-z0-9._/-]+ \| jq -a '\.Results\[\d+\] \| fromjson'$/);
  });

  test('no half-written file is left', () => {
    expect(readdirSync(directory).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

test('same bytes in another time zone and locale', () => {
  const script = fileURLToPath(new URL('../support/report-script.ts', import.meta.url));
  const digests = [
    { TZ: 'UTC', LANG: 'C' },
    { TZ: 'Asia/Kathmandu', LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' },
  ].map((environment) => {
    const formats = reportFormats.filter((format) => format !== 'pdf');
    execFileSync(process.execPath, [script, directory, ...formats], { env: { ...process.env, ...environment } });
    const { files } = JSON.parse(readFileSync(join(directory, 'results/rendering.json'), 'utf8')) as { files: { file: string }[] };
    expect(files).toHaveLength(formats.length);
    return files.map(({ file }) =>
      createHash('sha256')
        .update(readFileSync(join(directory, file)))
        .digest('hex'),
    );
  });
  expect(digests[1]).toEqual(digests[0]);
});
