import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBrowser } from '../../src/render/browser.ts';
import type { OpenBrowser } from '../../src/render/browser.ts';
import { render } from '../../src/render/index.ts';
import type { Observation } from '../../src/model/index.ts';
import { writeFixture } from '../support/assessment.ts';

const directory = mkdtempSync(join(tmpdir(), 'exhibit-explorer-'));
let opened: OpenBrowser;
let page: Page;
let observations: Observation[] = [];
const problems: string[] = [];
const requests: string[] = [];

beforeAll(async () => {
  writeFixture(directory, { observations: 1200, hostile: true });
  await render({ runDirectory: directory, signing: null, log: () => undefined, formats: ['html'] });
  observations = readFileSync(join(directory, 'results', 'observations.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Observation);
  chmodSync(directory, 0o755);
  opened = await openBrowser();
  page = await opened.browser.newPage();
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!/^(file|data|blob):/.test(request.url())) requests.push(request.url());
  });
}, 60_000);
afterAll(async () => {
  await opened.close();
  rmSync(directory, { recursive: true, force: true });
});

const address = (hash = ''): string => pathToFileURL(join(directory, 'report.html')).href + hash;
const open = async (hash = ''): Promise<void> => {
  await page.goto('about:blank');
  await page.goto(address(hash));
  await page.waitForSelector('#explorer[data-ready="true"]');
};
const hash = async (): Promise<string> => String(await page.evaluate('location.hash'));
const press = async (label: string): Promise<void> => {
  await page.evaluate(
    `[...document.querySelectorAll('button')].find((button) => button.textContent.startsWith(${JSON.stringify(label)})).click()`,
  );
};
const count = async (): Promise<string> => page.$eval('.x-counts strong', (node) => node.textContent ?? '');

describe('the explorer in a browser, from a file', () => {
  test('lists every observation', async () => {
    await open();
    expect(await count()).toBe(`${observations.length.toLocaleString('en-US')} of ${observations.length.toLocaleString('en-US')}`);
    expect(await page.$$eval('.x-item', (items) => items.length)).toBe(50);
  });

  test('filters come from the address and go back to it', async () => {
    const failed = observations.filter((observation) => observation.status === 'fail');
    const control = failed[0]?.control ?? '';
    await open(`#find?control=${control}&status=fail`);
    expect(await count()).toMatch(new RegExp(`^${failed.filter((observation) => observation.control === control).length} of `));
    await page.click('.x-statuses button:nth-child(1)');
    expect(await hash()).toBe(`#find?control=${control}`);
  });

  test('search finds by name, and pages turn', async () => {
    await open();
    const wanted = observations.find((observation) => /^ledger-/.test(observation.subject.name))?.subject.name ?? '';
    await page.type('.x-search input', wanted);
    await page.waitForFunction("/^[1-9] of /.test(document.querySelector('.x-counts strong').textContent)");
    expect(await page.$eval('.x-name', (node) => node.textContent)).toBe(wanted);
    await open();
    await press('Last');
    expect(await hash()).toMatch(/page=\d+/);
  });

  test('an observation opens to its values and the command that reaches the record', async () => {
    const failed = observations.filter((observation) => observation.status === 'fail' && observation.citations.length > 1);
    const one = failed[failed.length - 1];
    await open(`#find?status=fail&q=${encodeURIComponent(one?.subject.name ?? '')}`);
    await page.click('.x-row');
    await page.waitForSelector('.x-detail-body');
    const text = await page.$eval('.x-detail-body', (node) => node.textContent ?? '');
    for (const leaf of one?.leaves ?? []) expect(text).toContain(leaf.path);
    expect(text).toContain(`unzip -p pack.zip data/${one?.citations[0]?.file ?? ''} | jq -a '`);
    expect(text).toContain(one?.id);
  });

  test('an address with an open observation opens it', async () => {
    await open('#find?status=fail&open=');
    await page.click('.x-row');
    await page.waitForSelector('.x-detail-body');
    await page.waitForFunction('/open=\\d+/.test(location.hash)');
    await open(await hash());
    await page.waitForSelector('.x-detail-body');
  });

  test('the filtered rows are exported as guarded CSV', async () => {
    await open('#find?q=HYPERLINK');
    await page.evaluate(
      'window.original = URL.createObjectURL.bind(URL); URL.createObjectURL = (object) => { window.exported = object; return window.original(object); }; HTMLAnchorElement.prototype.click = () => undefined;',
    );
    await press('Export');
    await page.waitForFunction('window.exported !== undefined');
    const csv = String(await page.evaluate('window.exported.text()'));
    expect(csv.split('\r\n').length).toBeGreaterThan(2);
    expect(csv).toContain(`"'=HYPERLINK(`);
    expect(csv).toContain('observation,captured_at,citations');
    expect(csv).not.toMatch(/(^|,)"?=/m);
  });

  test('nothing hostile ran, nothing was asked of a network', () => {
    expect(problems).toEqual([]);
    expect(requests).toEqual([]);
  });

  test('without scripts the summary and the controls are all there, and the list says where its rows are', async () => {
    const plain = await opened.browser.newPage();
    await plain.setJavaScriptEnabled(false);
    await plain.goto(address());
    expect(await plain.$eval('noscript', (node) => node.textContent)).toContain('results/observations.csv');
    expect(await plain.$$eval('.control', (nodes) => nodes.length)).toBe(60);
    expect(await plain.$$eval('.row', (nodes) => nodes.length)).toBe(
      observations.filter((observation) => !['pass', 'notapplicable'].includes(observation.status)).length,
    );
    await plain.close();
  });

  test('nothing is wider than a small screen', async () => {
    await page.setViewport({ width: 400, height: 800 });
    await open('#find?status=fail');
    await page.click('.x-row');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(400);
  });
});
