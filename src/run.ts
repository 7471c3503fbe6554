/**
 * The line: collect → assess → render → seal. Each stage reads files and writes files below the run directory.
 * A stage loads its own code when it runs: judging does not wait for the code that signs.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { CollectProgress } from './collectors/collector.ts';
import { type LoadedConfig, readConfig, refuseFindings } from './config/load.ts';
import { CatalogueError, loadCatalogue } from './controls/catalogue/load.ts';
import { boundGarbage } from './evidence/garbage.ts';
import { needsOf } from './controls/assess/needs.ts';
import { selectControls } from './controls/catalogue/select.ts';
import type { Catalogue } from './controls/types.ts';
import { lockRun } from './evidence/lock.ts';
import type { Assessment, Ledger } from './model/index.ts';
import { packFiles } from './pack/layout.ts';
import type { SealReport } from './pack/seal.ts';
import type { Signer } from './pack/sign/signer.ts';
import type { RenderReport } from './render/render.ts';
import { catalogueFileFindings, catalogueFindings, signingFindings } from './preflight.ts';
import { type RunDirectory, runVersions } from './run-directory.ts';
import { packageRoot, tool } from './version.ts';

export interface StageContext {
  readonly loaded: LoadedConfig;
  readonly run: RunDirectory;
  readonly signal: AbortSignal;
  readonly progress: CollectProgress;
  readonly resume: boolean;
  readonly note: (message: string) => void;
}

const catalogueFile = (directory: string, named: string | undefined): string =>
  named === undefined ? join(packageRoot, 'controls.yaml') : resolve(directory, named);

/** A configuration that fits its catalogue, and the controls it selects. */
export interface Prepared {
  readonly loaded: LoadedConfig;
  readonly catalogue: Catalogue;
}

/**
 * Reads a configuration and the catalogue it names, before anything is asked of a provider. Throws ConfigError with every mistake
 * of the file, of its fit to the catalogue and, for `signing`, of what the end of the line needs.
 */
export async function prepare(path: string, needs: { readonly signing: boolean }): Promise<Prepared> {
  const reading = readConfig(path);
  const missing = catalogueFileFindings(reading);
  const findings = [...(needs.signing ? signingFindings(reading) : []), ...missing];
  if (missing.length > 0 || reading.mistaken.has('catalogue')) reading.settle(findings);
  const file = catalogueFile(reading.directory, reading.parts.catalogue);
  let whole: Catalogue;
  try {
    whole = await loadCatalogue(file);
  } catch (error) {
    // Its mistakes are in other files, and are told once those of the configuration are mended.
    if (!(error instanceof CatalogueError)) throw error;
    const place = { path: ['catalogue'], atKey: false };
    const message = `${file} has mistakes of its own: \`exhibit controls lint --catalogue ${file}\` tells them`;
    if (reading.mistaken.size > 0 || findings.length > 0) reading.settle([...findings, { ...place, message }]);
    throw error;
  }
  const loaded = reading.settle([...findings, ...catalogueFindings(reading, whole)]);
  return { loaded, catalogue: selectControls(whole, loaded.config) };
}

/** The controls that a configuration selects. */
export async function catalogueOf(loaded: LoadedConfig): Promise<Catalogue> {
  const reading = { directory: loaded.directory, parts: loaded.config };
  refuseFindings(loaded, catalogueFileFindings(reading));
  const catalogue = await loadCatalogue(catalogueFile(loaded.directory, loaded.config.catalogue));
  refuseFindings(loaded, catalogueFindings(reading, catalogue));
  return selectControls(catalogue, loaded.config);
}

/** Stops before anything is asked of a provider where the end of the line could not be reached. */
export async function assertReady(path: string): Promise<Prepared> {
  const prepared = await prepare(path, { signing: true });
  await signerOf(prepared.loaded);
  return prepared;
}

/** Directory of the signing keys, relative to the configuration file. */
export function keysDirectory(loaded: LoadedConfig): string {
  return resolve(loaded.directory, loaded.config.signing.keys);
}

/** Who signs: the configured key and certificate, or the local identity, which is made on first use. */
async function signerOf(loaded: LoadedConfig): Promise<Signer> {
  const { initKeys, loadSigner, loadSignerFromFiles } = await import('./pack/sign/keys.ts');
  const own = loaded.config.signing.certificate;
  if (own === undefined) {
    await initKeys(keysDirectory(loaded));
    return loadSigner(keysDirectory(loaded));
  }
  const passphrase = own.passphraseFrom === undefined ? undefined : process.env[own.passphraseFrom];
  return loadSignerFromFiles({
    key: resolve(loaded.directory, own.key),
    certificates: own.chain.map((file) => resolve(loaded.directory, file)),
    ...(passphrase !== undefined && { passphrase }),
  });
}

/** Root of the newest sealed version of the same engagement before this one: so a version left out shows in the next. */
function formerRoot(context: StageContext): string | undefined {
  const versions = runVersions(dirname(context.run.path), context.loaded.config.engagement.id);
  const own = versions.find((version) => resolve(version.path) === resolve(context.run.path))?.version ?? 0;
  const former = versions
    .filter((version) => version.version < own)
    .map((version) => join(version.path, 'pack', packFiles.root))
    .findLast(existsSync);
  return former === undefined ? undefined : createHash('sha256').update(readFileSync(former)).digest('hex');
}

/** What judged the evidence goes into the pack with it: the configuration and the control files, as they were read. */
function keepInputs(context: StageContext, catalogue: Catalogue): void {
  const inputs = join(context.run.path, 'inputs');
  rmSync(join(inputs, 'catalogue'), { recursive: true, force: true });
  mkdirSync(inputs, { recursive: true });
  const kept = join(inputs, 'exhibit.yaml');
  if (resolve(context.loaded.file) !== resolve(kept)) copyFileSync(context.loaded.file, kept);
  for (const { file } of catalogue.files) {
    const target = join(inputs, 'catalogue', file);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(catalogue.directory, file), target);
  }
}

/** One process at a time works on a run; the stages of one process follow each other. */
async function locked<T>(context: StageContext, work: () => Promise<T>): Promise<T> {
  const release = lockRun(context.run.path);
  try {
    return await work();
  } finally {
    release();
  }
}

/** `ready`: the controls, where they were just read. */
export const collectStage = (context: StageContext, ready?: Catalogue): Promise<Ledger> =>
  locked(context, async () => {
    const catalogue = ready ?? (await catalogueOf(context.loaded));
    keepInputs(context, catalogue);
    const { collect } = await import('./collectors/collect.ts');
    const { quotaFloor } = await import('./collectors/rate.ts');
    const started = performance.now();
    const unbound = boundGarbage();
    const ledger = await collect({
      runDirectory: context.run.path,
      runId: context.run.state.runId,
      asOf: context.run.state.asOf,
      config: context.loaded.config,
      needs: needsOf(catalogue),
      resume: context.resume,
      signal: context.signal,
      progress: context.progress,
      tool,
    }).finally(unbound);
    // An interrupted collection has written its ledger, and is not done.
    context.signal.throwIfAborted();
    const floor = quotaFloor(ledger.quotas);
    context.run.markCollected({
      seconds: Math.round(performance.now() - started) / 1000,
      quotaFloorSeconds: floor.ms / 1000,
      quota: floor.key,
    });
    return ledger;
  });

/** `threads`: how many to judge on; the results are the same bytes. */
export const assessStage = (context: StageContext, threads = 1): Promise<Assessment> =>
  locked(context, async () => {
    const catalogue = await catalogueOf(context.loaded);
    keepInputs(context, catalogue);
    const [{ assess }, { pageReaders }] = await Promise.all([import('./controls/assess/assess.ts'), import('./collectors/registry.ts')]);
    const assessment = await assess({
      runDirectory: context.run.path,
      catalogue,
      config: context.loaded.config,
      readers: pageReaders(),
      signal: context.signal,
      threads: {
        count: threads,
        module: new URL(import.meta.url.endsWith('.ts') ? './judging-thread.ts' : './judging-thread.js', import.meta.url),
      },
      tool,
    });
    context.run.markDone('assess');
    return assessment;
  });

export const renderStage = (context: StageContext): Promise<RenderReport> =>
  locked(context, async () => {
    const signer = await signerOf(context.loaded);
    const [{ render }, { describeSigner }] = await Promise.all([import('./render/render.ts'), import('./pack/sign/keys.ts')]);
    const report = await render({
      runDirectory: context.run.path,
      signing: describeSigner(signer),
      results: context.loaded.config.output.formats,
      log: context.note,
    });
    context.run.markDone('render');
    return report;
  });

export const sealStage = (context: StageContext): Promise<SealReport> =>
  locked(context, async () => {
    const { signing } = context.loaded.config;
    const signer = await signerOf(context.loaded);
    const previousRoot = signing.previousPack ?? formerRoot(context);
    const timestamp =
      signing.timestamp === undefined
        ? undefined
        : { url: signing.timestamp.url, root: resolve(context.loaded.directory, signing.timestamp.root) };
    const { seal } = await import('./pack/seal.ts');
    const { evidenceTeller } = await import('./collectors/told.ts');
    const report = await seal({
      runDirectory: context.run.path,
      packDirectory: join(context.run.path, 'pack'),
      zipPath: join(context.run.path, 'pack.zip'),
      signer,
      teller: evidenceTeller(),
      ...(timestamp && { timestamp }),
      ...(previousRoot !== undefined && { previousRoot }),
      log: context.note,
    });
    // The auditor's other channel: these must not travel with the pack.
    writeFileSync(join(context.run.path, 'root.crt'), report.rootPem);
    writeFileSync(join(context.run.path, 'fingerprint.txt'), `${report.fingerprint}\n`);
    context.run.markDone('seal');
    return report;
  });
