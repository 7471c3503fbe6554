import { Command } from 'commander';
import { terminalOf } from '../session.ts';

export function keysVerb(): Command {
  const keys = new Command('keys')
    .description('the identity that signs packs')
    .addHelpText('after', '\nExample:\n  exhibit keys init\n  exhibit keys show');
  keys
    .command('init')
    .description('make a local root and a signing certificate, unless they are there')
    .option('-d, --directory <directory>', 'where the keys live', '.exhibit/keys')
    .addHelpText('after', '\nExample:\n  exhibit keys init --directory /var/lib/exhibit/keys')
    .action(async (options: { directory: string }, command: Command) => {
      const here = terminalOf(command);
      const { initKeys } = await import('../../pack/sign/keys.ts');
      const made = await initKeys(options.directory);
      if (!made.created) here.print('These keys were there already; nothing was changed.');
      here.print(`Root certificate  ${made.rootFile}`);
      here.print(`Subject           ${made.subject}`);
      here.print(`Fingerprint       ${made.fingerprint}`);
      here.print(
        'Give the fingerprint to your auditor by another way than the pack: whoever re-signs a pack can also replace a certificate inside it.',
      );
      here.result(made);
    });
  keys
    .command('show')
    .description('the certificate and fingerprint in use')
    .option('-d, --directory <directory>', 'where the keys live', '.exhibit/keys')
    .addHelpText('after', '\nExample:\n  exhibit keys show')
    .action(async (options: { directory: string }, command: Command) => {
      const here = terminalOf(command);
      const { showKeys } = await import('../../pack/sign/keys.ts');
      const shown = await showKeys(options.directory);
      here.print(`Root certificate  ${shown.rootFile}`);
      here.print(`Subject           ${shown.subject}`);
      here.print(`Valid             ${shown.notBefore} to ${shown.notAfter}`);
      here.print(`Fingerprint       ${shown.fingerprint}`);
      here.result(shown);
    });
  return keys;
}
