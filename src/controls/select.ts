import type { ExhibitConfig } from '../config/schema.ts';
import { nearest } from '../text/nearest.ts';
import type { Catalogue } from './types.ts';

/** A profile that names controls which the catalogue does not have, or that leaves none. */
export class SelectionError extends Error {
  override readonly name = 'SelectionError';
}

/** `aws-s3-*`: `*` is any run of characters, everything else is literal. */
function matcher(glob: string): (id: string) => boolean {
  const pattern = new RegExp(`^${glob.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&')).join('.*')}$`);
  return (id) => pattern.test(id);
}

/**
 * The controls that a profile and the configured providers select, in the catalogue's order.
 * A pattern that matches nothing is an error: a misspelt id must not make a control disappear.
 */
export function selectControls(catalogue: Catalogue, config: Pick<ExhibitConfig, 'profile' | 'scopes'>): Catalogue {
  const ids = catalogue.controls.map((compiled) => compiled.control.id);
  const matchers = (globs: readonly string[] | undefined): ((id: string) => boolean)[] =>
    (globs ?? []).map((glob) => {
      const match = matcher(glob);
      if (ids.some(match)) return match;
      const guess = nearest(glob, ids);
      throw new SelectionError(`the profile names \`${glob}\`, which is no control of the catalogue${guess ? `: did you mean \`${guess}\`?` : '; `exhibit controls list` shows them all'}`);
    });
  const include = matchers(config.profile.include);
  const exclude = matchers(config.profile.exclude);
  const controls = catalogue.controls.filter(({ control }) => {
    if (config.scopes[control.provider] === undefined) return false;
    if (exclude.some((match) => match(control.id))) return false;
    if (include.length > 0) return include.some((match) => match(control.id));
    return control.level <= config.profile.level;
  });
  if (controls.length === 0) throw new SelectionError('the profile selects no control for the configured clouds');
  return { ...catalogue, controls };
}
