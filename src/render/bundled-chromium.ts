import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, lstat, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir, tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, brotliDecompressSync } from 'node:zlib';
import { systemFont } from './fonts.ts';

/**
 * The headless shell of @sparticuz/chromium, unpacked once into a directory that only its owner can write, named by the digest of
 * the package's archive. The package's own `executablePath()` is not used: it trusts whatever file lies in the shared temporary folder.
 */
export interface BundledChromium {
  executable: string;
  /** Shared libraries that a minimal machine lacks. */
  libraries: string;
}

/** Null where the package does not serve: not Linux on x64, or not installed. */
export async function bundledChromium(): Promise<BundledChromium | null> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  const bin = packageBin();
  if (bin === null) return null;
  const digest = await sha256File(join(bin, 'chromium.br'));
  const directory = join(await cacheRoot(), `chromium-${digest.slice(0, 32)}`);
  if (!(await ownDirectory(directory))) await unpack(bin, directory);
  return { executable: join(directory, 'chromium'), libraries: join(directory, 'lib') };
}

function packageBin(): string | null {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '..', 'bin');
  } catch {
    return null;
  }
}

async function unpack(bin: string, directory: string): Promise<void> {
  const temporary = await mkdtemp(`${directory}.tmp-`);
  try {
    await pipeline(
      createReadStream(join(bin, 'chromium.br')),
      createBrotliDecompress(),
      createWriteStream(join(temporary, 'chromium'), { mode: 0o755 }),
    );
    for (const entry of tarEntries(brotliDecompressSync(await readFile(join(bin, 'al2023.tar.br'))))) {
      if (!/^lib\/[A-Za-z0-9._+-]+$/.test(entry.name)) continue;
      await mkdir(join(temporary, 'lib'), { recursive: true });
      await writeFile(join(temporary, entry.name), entry.bytes);
      await chmod(join(temporary, entry.name), 0o755);
    }
    await writeFile(join(temporary, 'complete'), '');
    // Said outright, whatever the umask: the user that the browser runs as has to reach them.
    await chmod(join(temporary, 'chromium'), 0o755);
    await chmod(join(temporary, 'lib'), 0o755);
    await chmod(temporary, isRoot() ? 0o755 : 0o700);
    await rename(temporary, directory).catch(async (error: unknown) => {
      // Another process unpacked the same archive first: its copy serves.
      if (!(await ownDirectory(directory))) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Files of an uncompressed ustar archive. */
export function* tarEntries(tar: Buffer): Generator<{ name: string; bytes: Buffer }> {
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const field = (from: number, length: number): string => tar.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = parseInt(field(124, 12).trim() || '0', 8);
    const type = field(156, 1);
    const prefix = field(345, 155);
    if (type === '0' || type === '')
      yield { name: prefix === '' ? field(0, 100) : `${prefix}/${field(0, 100)}`, bytes: tar.subarray(at + 512, at + 512 + size) };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * Where unpacked programs live. Root's are readable by all and writable by none other, since the browser runs there as an
 * unprivileged user; anyone else's are theirs alone.
 */
export async function cacheRoot(): Promise<string> {
  const mode = isRoot() ? 0o755 : 0o700;
  const chosen = process.env['EXHIBIT_CACHE'];
  const candidates = [
    ...(chosen === undefined ? [] : [chosen]),
    ...(isRoot() ? ['/var/cache/exhibit'] : [join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'exhibit')]),
    join(tmpdir(), `exhibit-${userInfo().uid}`),
  ];
  for (const candidate of candidates) {
    try {
      if ((await mkdir(candidate, { recursive: true, mode })) !== undefined) await chmod(candidate, mode);
      if (await ownedByUs(candidate)) return candidate;
    } catch {
      // Not writable here: the next place.
    }
  }
  throw new Error(`no place for the unpacked browser: tried ${candidates.join(', ')}; set EXHIBIT_CACHE to a directory that you own`);
}

async function ownedByUs(directory: string): Promise<boolean> {
  const found = await lstat(directory).catch(() => null);
  return found !== null && found.isDirectory() && found.uid === userInfo().uid && (found.mode & 0o022) === 0;
}

async function ownDirectory(directory: string): Promise<boolean> {
  if (!(await ownedByUs(directory))) return false;
  return (await lstat(join(directory, 'complete')).catch(() => null)) !== null;
}

export async function sha256File(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** A fontconfig file that knows one font of ours and nothing of the machine's: the same fallback everywhere. */
export async function writeFontConfig(directory: string): Promise<string> {
  const fonts = join(directory, 'fonts');
  await mkdir(fonts, { recursive: true });
  await writeFile(join(fonts, 'plex.ttf'), systemFont());
  await chmod(fonts, 0o755);
  await chmod(join(fonts, 'plex.ttf'), 0o644);
  const file = join(directory, 'fonts.conf');
  await writeFile(
    file,
    `<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig><dir>${fonts}</dir><cachedir>${join(directory, 'font-cache')}</cachedir></fontconfig>\n`,
  );
  await chmod(file, 0o644);
  return file;
}
