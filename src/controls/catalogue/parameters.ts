import type { Json } from '../../model/index.ts';
import { parseDuration } from '../language/convert.ts';
import type { Catalogue, ParameterDefinition, Problem } from '../types.ts';
import type { CatalogueEntry } from './envelope.ts';
import { didYouMean } from './suggest.ts';
import type { YamlSource } from './yaml-source.ts';

/** The parameters that controls.yaml declares. */
export function parametersOf(entry: CatalogueEntry, source: YamlSource, problems: Problem[]): Record<string, ParameterDefinition> {
  const parameters: Record<string, ParameterDefinition> = {};
  for (const [name, definition] of Object.entries(entry.parameters)) {
    const mistake = parameterMistake(definition.type, definition.default);
    if (mistake !== null) problems.push(source.problem(['parameters', name, 'default'], `the default of ${name} ${mistake}`));
    parameters[name] = { name, type: definition.type, default: definition.default, description: definition.description };
  }
  return parameters;
}

/** What is wrong with a parameter's value, or null. */
export function parameterMistake(type: ParameterDefinition['type'], value: Json): string | null {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? null : 'must be a text';
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? null : 'must be a number';
    case 'integer':
      return Number.isSafeInteger(value) ? null : 'must be a whole number';
    case 'boolean':
      return typeof value === 'boolean' ? null : 'must be true or false';
    case 'duration':
      return typeof value === 'string' && parseDuration(value) !== null ? null : 'must be a duration such as P90D';
    case 'list':
      return Array.isArray(value) && new Set(value.map((entry) => typeof entry)).size <= 1 ? null : 'must be a list of texts or of numbers';
  }
}

/**
 * The parameters of a run: defaults with the engagement's values put over them. Mistakes come back as sentences,
 * so that the configuration loader can say where they stand.
 */
export function resolveParameters(
  catalogue: Pick<Catalogue, 'parameters'>,
  overrides: Readonly<Record<string, unknown>>,
): { parameters: Record<string, Json>; mistakes: { name: string; message: string }[] } {
  const parameters: Record<string, Json> = {};
  const mistakes: { name: string; message: string }[] = [];
  for (const definition of Object.values(catalogue.parameters)) parameters[definition.name] = definition.default;
  for (const [name, value] of Object.entries(overrides)) {
    const definition = Object.hasOwn(catalogue.parameters, name) ? catalogue.parameters[name] : undefined;
    if (definition === undefined) {
      mistakes.push({
        name,
        message: `unknown parameter ${name}${didYouMean(name, Object.keys(catalogue.parameters))?.replace(/^/, ' (').concat(')') ?? ''}`,
      });
      continue;
    }
    const mistake = parameterMistake(definition.type, value as Json);
    if (mistake === null) parameters[name] = value as Json;
    else mistakes.push({ name, message: `the parameter ${name} ${mistake}` });
  }
  return { parameters, mistakes };
}
