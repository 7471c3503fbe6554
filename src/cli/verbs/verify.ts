import { Command } from 'commander';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { exitStatus, UsageError } from '../exit.ts';
import { terminalOf } from '../session.ts';
import { visibleLines } from '../../text/visible.ts';

/** A fingerprint as typed, or a file that holds one (the `fingerprint.txt` beside the pack). */
function fingerprintOf(value: string): string {
  const isFile = existsSync(value);
  if (isFile && statSync(value).isDirectory())
    throw new UsageError(`${value} is a directory`, 'give 64 hexadecimal digits (colons allowed), or a file that holds them');
  const text = isFile ? readFileSync(value, 'utf8').trim() : value;
  if (isFile && text.includes('-----BEGIN CERTIFICATE-----'))
    throw new UsageError(
      `${value} is a certificate, not its fingerprint`,
      `compare what \`openssl x509 -in ${value} -noout -fingerprint -sha256\` prints with what you were told, and give that`,
    );
  const hex = text
    .replace(/^sha-?256(\s+fingerprint)?\s*[=:]\s*/i, '')
    .replace(/[\s:]/g, '')
    .toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(hex))
    throw new UsageError(
      `\`${(text.split('\n', 1)[0] ?? '').slice(0, 80)}\` is no SHA-256 fingerprint`,
      'give 64 hexadecimal digits (colons allowed), or a file that holds them',
    );
  return hex;
}

interface VerifyChoices {
  readonly fingerprint?: string;
  readonly root?: string;
  readonly timestampRoot?: string;
  readonly integrityOnly?: boolean;
}

export function verifyVerb(): Command {
  return new Command('verify')
    .description('check a pack: integrity, signatures, signer, and that its figures add up')
    .argument('<pack>', 'a pack directory, or pack.zip')
    .option(
      '-f, --fingerprint <sha256>',
      "the root certificate's SHA-256 fingerprint, had by another way than the pack; or a file holding it",
    )
    .option('--root <sha256>', 'the root of the pack (SHA-256 of tagmanifest-sha256.txt), where it is known by another way')
    .option('--timestamp-root <pem>', "file with the timestamp authority's root certificate, to check a timestamp with")
    .option('--integrity-only', 'leave open who signed: a missing fingerprint is then no failure')
    .addHelpText(
      'after',
      '\nWithout --fingerprint anybody who re-signs a changed pack would go unnoticed: verification then fails,\nand says that integrity holds but the signer is not established.\n\nExample:\n  exhibit verify pack.zip --fingerprint fingerprint.txt',
    )
    .action(async (pack: string, options: VerifyChoices, command: Command) => {
      const here = terminalOf(command);
      if (!existsSync(pack)) throw new UsageError(`${pack}: no such file or directory`, 'name a pack directory or pack.zip');
      if (existsSync(join(pack, 'run.json')) && !existsSync(join(pack, 'bagit.txt')))
        throw new UsageError(
          `${pack} is the directory of a run, not a pack`,
          existsSync(join(pack, 'pack.zip'))
            ? `name ${join(pack, 'pack.zip')}`
            : 'it has not been sealed: `exhibit run --resume` finishes it',
        );
      if (options.timestampRoot !== undefined && !existsSync(options.timestampRoot))
        throw new UsageError(
          `${options.timestampRoot}: no such file`,
          'name a PEM file with the root certificate of the timestamp authority',
        );
      const [{ verifyPack }, { evidenceTeller }] = await Promise.all([import('../../pack/verify.ts'), import('../../collectors/told.ts')]);
      const report = await verifyPack(pack, {
        teller: evidenceTeller(),
        ...(options.fingerprint !== undefined && { fingerprint: fingerprintOf(options.fingerprint) }),
        ...(options.root !== undefined && { expectedRoot: fingerprintOf(options.root) }),
        ...(options.timestampRoot !== undefined && { timestampRoot: options.timestampRoot }),
        ...(options.integrityOnly === true && { identity: 'not-asked' as const }),
      });
      const { green, red, yellow, bold, dim } = here.style;
      for (const step of report.steps) {
        const mark = step.status === 'ok' ? green('✓') : step.status === 'failed' ? red('✗') : yellow('–');
        here.print(`${mark} ${bold(step.title)}  ${dim(visibleLines(step.detail))}`);
        for (const problem of step.problems) here.print(`    ${red(problem.code)}  ${visibleLines(problem.message)}`);
      }
      for (const note of report.notes) here.print(`${yellow('–')} ${dim(visibleLines(note.message))}`);
      here.print();
      here.print(report.ok ? green(`Valid: ${visibleLines(report.conclusion)}`) : red(`NOT VALID: ${visibleLines(report.conclusion)}`));
      here.result(report);
      process.exitCode = report.ok ? exitStatus.done : exitStatus.verification;
    });
}
