import type { ExhibitConfig } from '../../config/schema.ts';
import { type Control, isLike } from '../../model/index.ts';
import { nearestControl } from './suggest.ts';
import type { Catalogue, CompiledControl } from '../types.ts';

type LeftOut = NonNullable<Catalogue['leftOut']>[number];

/** A profile that names controls which the catalogue does not have, or that leaves none. */
export class SelectionError extends Error {
  override readonly name = 'SelectionError';
}

/**
 * The controls that a profile and the configured providers select, in the catalogue's order, and those they leave out with the reason.
 * A pattern that matches nothing is an error: a misspelt id must not make a control disappear.
 */
export function selectControls(catalogue: Catalogue, config: Pick<ExhibitConfig, 'profile' | 'scopes'>): Catalogue {
  const ids = catalogue.controls.map((compiled) => compiled.control.id);
  const matchers = (globs: readonly string[] | undefined): ((id: string) => boolean)[] =>
    (globs ?? []).map((glob) => {
      const match = (id: string): boolean => isLike(id, glob);
      if (ids.some(match)) return match;
      const guess = nearestControl(glob, ids);
      throw new SelectionError(
        `the profile names \`${glob}\`, which is no control of the catalogue${guess ? `: did you mean \`${guess}\`?` : '; `exhibit controls list` shows them all'}`,
      );
    });
  const include = matchers(config.profile.include);
  const exclude = matchers(config.profile.exclude);
  const whyNot = ({ id, provider, level }: Control): LeftOut['why'] | null => {
    if (config.scopes[provider] === undefined) return 'cloud-not-configured';
    if (exclude.some((match) => match(id))) return 'excluded';
    if (include.length > 0) return include.some((match) => match(id)) ? null : 'not-included';
    return level <= config.profile.level ? null : 'above-level';
  };
  const controls: CompiledControl[] = [];
  const leftOut: LeftOut[] = [];
  for (const compiled of catalogue.controls) {
    const why = whyNot(compiled.control);
    if (why === null) controls.push(compiled);
    else leftOut.push({ control: compiled.control.id, title: compiled.control.title, level: compiled.control.level, why });
  }
  if (controls.length === 0) throw new SelectionError('the profile selects no control for the configured clouds');
  return { ...catalogue, controls, leftOut };
}
