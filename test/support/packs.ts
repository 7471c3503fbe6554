import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { evidenceTeller } from '../../src/collectors/told.ts';
import { seal } from '../../src/pack/seal.ts';
import type { SealOptions, SealReport } from '../../src/pack/seal.ts';
import { initKeys, loadSigner } from '../../src/pack/sign/keys.ts';
import type { Signer } from '../../src/pack/sign/signer.ts';
import type { ProblemCode, VerifyOptions, VerifyReport } from '../../src/pack/verify.ts';
import { sampleRun, temporaryDirectory } from './pack-run.ts';
import type { SampleRun } from './pack-run.ts';

/** Reads pages as the command line does. */
export const teller = evidenceTeller();

export interface SealedSample {
  readonly run: SampleRun;
  readonly sealed: SealReport;
  readonly signer: Signer;
}

export async function newSigner(organization = 'Acme AG'): Promise<Signer> {
  const directory = join(temporaryDirectory('keys'), 'keys');
  await initKeys(directory, { organization });
  return loadSigner(directory);
}

/** A sealed sample; `change` may spoil the run first, so that the pack is properly signed and wrong in substance. */
export async function sealedSample(
  signer: Signer,
  change: (run: SampleRun) => void = () => undefined,
  options: Partial<SealOptions> = {},
): Promise<SealedSample> {
  const run = await sampleRun();
  change(run);
  const sealed = await seal({
    runDirectory: run.directory,
    packDirectory: run.packDirectory,
    zipPath: run.zipPath,
    signer,
    teller,
    ...options,
  });
  return { run, sealed, signer };
}

/** A copy of a pack directory to do harm to. */
export function copyOf(pack: string): string {
  const copy = join(temporaryDirectory('copy'), 'pack');
  mkdirSync(copy, { recursive: true });
  cpSync(pack, copy, { recursive: true });
  return copy;
}

/** What an auditor verifies with who has the fingerprint of the signer. */
export const trusted = (sample: SealedSample): VerifyOptions => ({ fingerprint: sample.sealed.fingerprint, teller });

export function codesOf(report: VerifyReport): ProblemCode[] {
  return report.steps.flatMap((step) => step.problems.map((problem) => problem.code));
}
