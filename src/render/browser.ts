import { spawnSync } from 'node:child_process';
import { chown, chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { accessSync, constants } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import puppeteer from 'puppeteer-core';
import type { Browser } from 'puppeteer-core';
import { bundledChromium, isRoot, sha256File, writeFontConfig } from './bundled-chromium.ts';

/** The browser that printed a report, for the record. */
export interface BrowserRecord {
  /** `HeadlessChrome/153.0.…` as the browser names itself. */
  version: string;
  /** How it was found: `PUPPETEER_EXECUTABLE_PATH`, `option`, `bundled`, `headless-shell`, `installed`, `puppeteer-cache`. */
  origin: string;
  executable: string;
  sha256: string;
  /** `unprivileged-user` and `user-namespace` keep Chromium's sandbox and give it no network. */
  sandbox: 'unprivileged-user' | 'user-namespace' | 'own' | 'none';
  /** What a reader of the log must know; empty when all is as it should be. */
  warnings: string[];
}

export interface OpenBrowser {
  browser: Browser;
  record: BrowserRecord;
  close: () => Promise<void>;
}

const NOBODY = 65534;

const FLAGS = [
  '--font-render-hinting=none',
  '--host-resolver-rules=MAP * ~NOTFOUND',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-webgl',
  '--force-color-profile=srgb',
  '--lang=en-US',
];

interface Found {
  executable: string;
  origin: string;
  libraries?: string;
}

/** The first Chromium that can be had: named, bundled, then installed. Throws with the remedy when there is none. */
export async function findBrowser(named?: string): Promise<Found> {
  const given = named ?? process.env['PUPPETEER_EXECUTABLE_PATH'];
  if (given !== undefined && given !== '') {
    if (!isExecutable(given))
      throw new Error(
        `${given} is not an executable file (${named === undefined ? 'PUPPETEER_EXECUTABLE_PATH' : 'the browser option'}); name a Chromium, or leave it unset for the bundled one`,
      );
    return { executable: given, origin: named === undefined ? 'PUPPETEER_EXECUTABLE_PATH' : 'option' };
  }
  const bundled = await bundledChromium();
  if (bundled) return { ...bundled, origin: 'bundled' };
  const shell = onPath(['chromium-headless-shell', 'chrome-headless-shell', 'headless_shell']);
  if (shell !== null) return { executable: shell, origin: 'headless-shell' };
  const installed =
    onPath(['google-chrome-stable', 'google-chrome', 'chromium', 'chromium-browser', 'microsoft-edge']) ??
    [
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
      'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
      'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
    ].find(isExecutable);
  if (installed !== undefined) return { executable: installed, origin: 'installed' };
  const cached = await puppeteerCache();
  if (cached !== null) return { executable: cached, origin: 'puppeteer-cache' };
  throw new Error(
    'no Chromium to print the PDF with: install Chrome or Chromium, or set PUPPETEER_EXECUTABLE_PATH (the HTML report and the CSV files need none)',
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function onPath(names: readonly string[]): string | null {
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '');
  for (const name of names) for (const directory of directories) if (isExecutable(join(directory, name))) return join(directory, name);
  return null;
}

async function puppeteerCache(): Promise<string | null> {
  const root = process.env['PUPPETEER_CACHE_DIR'] ?? join(homedir(), '.cache', 'puppeteer');
  for (const product of ['chrome-headless-shell', 'chrome']) {
    const builds = (await readdir(join(root, product)).catch(() => [])).sort().reverse();
    for (const build of builds) {
      for (const folder of await readdir(join(root, product, build)).catch(() => [])) {
        const file = join(root, product, build, folder, product);
        if (isExecutable(file)) return file;
      }
    }
  }
  return null;
}

interface Attempt {
  sandbox: BrowserRecord['sandbox'];
  wrapper: string | null;
}

/** Ways to run it, best first. A host that forbids namespaces is left with the last, which is recorded. */
function attempts(): Attempt[] {
  const forbidden: Attempt = { sandbox: 'none', wrapper: null };
  if (process.platform !== 'linux') return [{ sandbox: 'own', wrapper: null }, forbidden];
  if (isRoot()) {
    const wrapper = `exec unshare -n -- setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups --no-new-privs "$CHROME_BIN" "$@"`;
    return works('unshare', ['-n', '--', 'setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--no-new-privs', 'true'])
      ? [{ sandbox: 'unprivileged-user', wrapper }, forbidden]
      : [forbidden];
  }
  const wrapper = 'exec unshare --user --map-current-user --net -- "$CHROME_BIN" "$@"';
  const own: Attempt = { sandbox: 'own', wrapper: null };
  return works('unshare', ['--user', '--map-current-user', '--net', '--', 'true'])
    ? [{ sandbox: 'user-namespace', wrapper }, own, forbidden]
    : [own, forbidden];
}

function works(program: string, parameters: readonly string[]): boolean {
  return spawnSync(program, parameters, { stdio: 'ignore', timeout: 10_000 }).status === 0;
}

/**
 * Opens a Chromium that can reach nothing: no network namespace where the host allows it, no name resolution anywhere.
 * @param named path of a Chromium to use instead of the bundled one
 */
export async function openBrowser(named?: string): Promise<OpenBrowser> {
  const found = await findBrowser(named);
  const sha256 = await sha256File(found.executable);
  const failures: string[] = [];
  for (const attempt of attempts()) {
    const directory = await mkdtemp(join(tmpdir(), 'exhibit-browser-'));
    const remove = async (): Promise<void> => rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    try {
      const browser = await launch(found, attempt, directory);
      const warnings =
        attempt.sandbox === 'none'
          ? [
              'Chromium ran WITHOUT its sandbox: this host allows neither user namespaces nor dropping privileges. It prints only the report, scripts off, every request refused; still, prefer a host that allows it.',
            ]
          : [];
      return {
        browser,
        record: {
          version: await browser.version(),
          origin: found.origin,
          executable: found.executable,
          sha256,
          sandbox: attempt.sandbox,
          warnings,
        },
        close: async () => {
          await browser.close().catch(() => undefined);
          await remove();
        },
      };
    } catch (error) {
      failures.push(`${attempt.sandbox}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`);
      await remove();
    }
  }
  throw new Error(`${found.executable} does not start (${failures.join('; ')})`);
}

async function launch(found: Found, attempt: Attempt, directory: string): Promise<Browser> {
  const profile = join(directory, 'profile');
  await mkdir(profile);
  const fontConfig = await writeFontConfig(directory);
  await mkdir(join(directory, 'font-cache'));
  let executablePath = found.executable;
  if (attempt.wrapper !== null) {
    executablePath = join(directory, 'chromium-wrapper');
    await writeFile(executablePath, `#!/bin/sh\n${attempt.wrapper}\n`, { mode: 0o755 });
  }
  if (attempt.sandbox === 'unprivileged-user') {
    await chmod(directory, 0o755);
    for (const owned of [profile, join(directory, 'font-cache')]) await chown(owned, NOBODY, NOBODY);
  }
  const libraries = [found.libraries, process.env['LD_LIBRARY_PATH']].filter((path) => path !== undefined && path !== '').join(':');
  return puppeteer.launch({
    executablePath,
    headless: 'shell',
    pipe: true,
    userDataDir: profile,
    args: attempt.sandbox === 'none' ? [...FLAGS, '--no-sandbox'] : FLAGS,
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      HOME: profile,
      TMPDIR: profile,
      TZ: 'UTC',
      LANG: 'C.UTF-8',
      CHROME_BIN: found.executable,
      FONTCONFIG_FILE: fontConfig,
      ...(libraries === '' ? {} : { LD_LIBRARY_PATH: libraries }),
    },
    timeout: 30_000,
    // A document of a hundred thousand rows takes minutes, and is still not stuck.
    protocolTimeout: 600_000,
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
}
