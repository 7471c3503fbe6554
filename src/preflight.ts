/**
 * What can be known to be wrong before a provider is asked: a configuration that does not fit its catalogue, or names files
 * that are not there. A collection may take hours; such a mistake must not wait for its end.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Finding } from './config/describe.ts';
import type { Draft } from './config/draft.ts';
import type { ConfigReading } from './config/load.ts';
import type { ExhibitConfig } from './config/schema.ts';
import { globMatcher } from './controls/assess/critical.ts';
import { resolveParameters } from './controls/catalogue/parameters.ts';
import { SelectionError, selectControls } from './controls/catalogue/select.ts';
import { nearestControl } from './controls/catalogue/suggest.ts';
import type { Catalogue } from './controls/types.ts';
import { freshnessParameters } from './model/index.ts';

type Parts = Draft<ExhibitConfig>;
/** What is looked at: the well-formed parts, so that one mistake does not hide another. */
type Reading = Pick<ConfigReading, 'directory' | 'parts'>;

const at = (path: Finding['path'], message: string): Finding => ({ path, message, atKey: false });

/** A file that the configuration names, or the mistake of naming it. */
function fileFinding({ directory }: Reading, path: Finding['path'], name: string | undefined): Finding[] {
  if (name === undefined) return [];
  const file = resolve(directory, name);
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
export function catalogueFileFindings(reading: Reading): Finding[] {
  return fileFinding(reading, ['catalogue'], reading.parts.catalogue);
}

/** What signing would stumble over at the end: files that are not there, a passphrase that is not set. */
export function signingFindings(reading: Reading): Finding[] {
  const { certificate, timestamp } = reading.parts.signing ?? {};
  const own = ['signing', 'certificate'] as const;
  const variable = certificate?.passphraseFrom;
  return [
    ...fileFinding(reading, [...own, 'key'], certificate?.key),
    ...(certificate?.chain ?? []).flatMap((file, index) => fileFinding(reading, [...own, 'chain', index], file)),
    ...(variable !== undefined && process.env[variable] === undefined
      ? [at([...own, 'passphraseFrom'], `the environment variable ${variable} is not set: export the passphrase in it`)]
      : []),
    ...fileFinding(reading, ['signing', 'timestamp', 'root'], timestamp?.root),
  ];
}

/** Controls and parameters that the catalogue does not have: they would be ignored in silence. */
export function catalogueFindings({ parts }: Reading, catalogue: Catalogue): Finding[] {
  return [
    ...profileFindings(parts, catalogue),
    ...parameterFindings(parts, catalogue),
    ...waiverFindings(parts, catalogue),
    ...answerFindings(parts, catalogue),
  ];
}

const everyCloud = { aws: [], azure: [], gcp: [] };

function profileFindings({ profile }: Parts, catalogue: Catalogue): Finding[] {
  return (['include', 'exclude'] as const).flatMap((list) =>
    (profile?.[list] ?? []).flatMap((pattern, index) => {
      if (pattern === undefined) return [];
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

function parameterFindings({ parameters = {} }: Parts, catalogue: Catalogue): Finding[] {
  const others = Object.fromEntries(
    Object.entries(parameters).filter(([name]) => !Object.hasOwn(freshnessParameters, name) || Object.hasOwn(catalogue.parameters, name)),
  );
  return resolveParameters(catalogue, others).mistakes.map(({ name, message }) => ({ path: ['parameters', name], message, atKey: true }));
}

function unknownControl(name: string, ids: readonly string[]): string {
  const guess = nearestControl(name, ids);
  return `\`${name}\` is no control of the catalogue${guess === undefined ? '; `exhibit controls list` shows them all' : `: did you mean \`${guess}\`?`}`;
}

function waiverFindings({ waivers = [] }: Parts, { controls }: Catalogue): Finding[] {
  const ids = controls.map(({ control }) => control.id);
  return waivers.flatMap((waiver, index) =>
    waiver?.control === undefined || ids.some(globMatcher(waiver.control))
      ? []
      : [at(['waivers', index, 'control'], unknownControl(waiver.control, ids))],
  );
}

function answerFindings({ answers = [] }: Parts, { controls }: Catalogue): Finding[] {
  const asking = controls.filter(({ checks }) => checks.some(({ kind }) => kind === 'manual')).map(({ control }) => control.id);
  const ids = controls.map(({ control }) => control.id);
  return answers.flatMap((answer, index) => {
    const control = answer?.control;
    if (control === undefined || asking.includes(control)) return [];
    const message = ids.includes(control)
      ? `\`${control}\` asks no person: an answer would not be heard (those that ask: ${asking.join(', ') || 'none'})`
      : unknownControl(control, asking.length > 0 ? asking : ids);
    return [at(['answers', index, 'control'], message)];
  });
}
