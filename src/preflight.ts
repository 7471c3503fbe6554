/**
 * What can be known to be wrong before a provider is asked: a configuration that does not fit its catalogue, or names files
 * that are not there. A collection may take hours; such a mistake must not wait for its end.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Finding, type LoadedConfig, refuseFindings } from './config/load.ts';
import type { ExhibitConfig } from './config/schema.ts';
import { globMatcher } from './controls/assess/critical.ts';
import { resolveParameters } from './controls/catalogue/parameters.ts';
import { SelectionError, selectControls } from './controls/catalogue/select.ts';
import type { Catalogue } from './controls/types.ts';
import { freshnessParameters } from './model/index.ts';
import { nearest } from './text/nearest.ts';

const at = (path: Finding['path'], message: string): Finding => ({ path, message, atKey: false });

/** A file that the configuration names, or the mistake of naming it. */
function fileFinding(loaded: LoadedConfig, path: Finding['path'], name: string): Finding[] {
  const file = resolve(loaded.directory, name);
  try {
    if (!statSync(file).isFile()) return [at(path, `${file} is no file: name the file itself`)];
    accessSync(file, constants.R_OK);
    return [];
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'is not there' : 'cannot be read';
    return [at(path, `${file} ${why}: relative paths start at the directory of the configuration`)];
  }
}

/** Whether the catalogue that the configuration names can be opened at all. */
export function requireCatalogueFile(loaded: LoadedConfig): void {
  const { catalogue } = loaded.config;
  if (catalogue !== undefined) refuseFindings(loaded, fileFinding(loaded, ['catalogue'], catalogue));
}

/** Refuses what signing would stumble over at the end: files that are not there, a passphrase that is not set. */
export function requireSigningFiles(loaded: LoadedConfig): void {
  const { certificate, timestamp } = loaded.config.signing;
  const own = ['signing', 'certificate'] as const;
  refuseFindings(loaded, [
    ...(certificate === undefined
      ? []
      : [
          ...fileFinding(loaded, [...own, 'key'], certificate.key),
          ...certificate.chain.flatMap((file, index) => fileFinding(loaded, [...own, 'chain', index], file)),
        ]),
    ...(certificate?.passphraseFrom !== undefined && process.env[certificate.passphraseFrom] === undefined
      ? [at([...own, 'passphraseFrom'], `the environment variable ${certificate.passphraseFrom} is not set: export the passphrase in it`)]
      : []),
    ...(timestamp === undefined ? [] : fileFinding(loaded, ['signing', 'timestamp', 'root'], timestamp.root)),
  ]);
}

/** Refuses a configuration that names controls or parameters which its catalogue does not have: they would be ignored in silence. */
export function requireCatalogueFit(loaded: LoadedConfig, catalogue: Catalogue): void {
  const { config } = loaded;
  refuseFindings(loaded, [
    ...profileFindings(config, catalogue),
    ...parameterFindings(config, catalogue),
    ...waiverFindings(config, catalogue),
    ...answerFindings(config, catalogue),
  ]);
}

const everyCloud = { aws: [], azure: [], gcp: [] };

function profileFindings({ profile }: ExhibitConfig, catalogue: Catalogue): Finding[] {
  return (['include', 'exclude'] as const).flatMap((list) =>
    (profile[list] ?? []).flatMap((pattern, index) => {
      try {
        selectControls(catalogue, { profile: { level: 2, include: [pattern] }, scopes: everyCloud });
        return [];
      } catch (error) {
        if (!(error instanceof SelectionError)) throw error;
        return [at(['profile', list, index], error.message)];
      }
    }),
  );
}

function parameterFindings({ parameters }: ExhibitConfig, catalogue: Catalogue): Finding[] {
  const others = Object.fromEntries(
    Object.entries(parameters).filter(([name]) => !Object.hasOwn(freshnessParameters, name) || Object.hasOwn(catalogue.parameters, name)),
  );
  return resolveParameters(catalogue, others).mistakes.map(({ name, message }) => ({ path: ['parameters', name], message, atKey: true }));
}

function unknownControl(name: string, ids: readonly string[]): string {
  const guess = nearest(name, ids);
  return `\`${name}\` is no control of the catalogue${guess === undefined ? '; `exhibit controls list` shows them all' : `: did you mean \`${guess}\`?`}`;
}

function waiverFindings({ waivers }: ExhibitConfig, { controls }: Catalogue): Finding[] {
  const ids = controls.map(({ control }) => control.id);
  return waivers.flatMap(({ control }, index) =>
    ids.some(globMatcher(control)) ? [] : [at(['waivers', index, 'control'], unknownControl(control, ids))],
  );
}

function answerFindings({ answers }: ExhibitConfig, { controls }: Catalogue): Finding[] {
  const asking = controls.filter(({ checks }) => checks.some(({ kind }) => kind === 'manual')).map(({ control }) => control.id);
  const ids = controls.map(({ control }) => control.id);
  return answers.flatMap(({ control }, index) => {
    if (asking.includes(control)) return [];
    const message = ids.includes(control)
      ? `\`${control}\` asks no person: an answer would not be heard (those that ask: ${asking.join(', ') || 'none'})`
      : unknownControl(control, asking.length > 0 ? asking : ids);
    return [at(['answers', index, 'control'], message)];
  });
}
