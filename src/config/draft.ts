import type { z } from 'zod';

/** What is well-formed of a configuration: a part that is not is left out, and a list keeps its numbering. */
export type Draft<T> = T extends readonly (infer E)[]
  ? readonly (Draft<E> | undefined)[]
  : T extends object
    ? { readonly [K in keyof T]?: Draft<T[K]> | undefined }
    : T;

interface Definition {
  readonly innerType?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly options?: readonly z.core.$ZodType[];
}

const definitionOf = (schema: z.core.$ZodType): Definition => schema._zod.def as Definition;

const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The well-formed parts of a value, so that the rest can be checked although something else is wrong. */
export function wellFormed<S extends z.ZodType>(schema: S, value: unknown): Draft<z.infer<S>> | undefined {
  return partsOf(schema, value) as Draft<z.infer<S>> | undefined;
}

function partsOf(schema: z.core.$ZodType, value: unknown): unknown {
  const { innerType, element, valueType, shape } = definitionOf(schema);
  if (innerType) return value === undefined ? undefined : partsOf(innerType, value);
  if (shape) {
    if (!isSection(value)) return undefined;
    return Object.fromEntries(Object.entries(shape).map(([key, inner]) => [key, partsOf(inner, value[key])]));
  }
  if (element) return Array.isArray(value) ? value.map((entry) => partsOf(element, entry)) : undefined;
  if (valueType) {
    if (!isSection(value)) return undefined;
    const entries = Object.entries(value).map(([key, inner]) => [key, partsOf(valueType, inner)] as const);
    return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined));
  }
  const parsed = (schema as z.ZodType).safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

/** The names a shape accepts at a path, for suggestions. Looks through defaults, optionals, refinements and unions. */
export function knownKeys(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const { innerType, element, valueType, shape, options } = definitionOf(schema);
  if (innerType) return knownKeys(innerType, path);
  if (options) return options.flatMap((option) => knownKeys(option, path));
  const [head, ...rest] = path;
  if (shape) {
    if (head === undefined) return Object.keys(shape);
    const next = shape[String(head)];
    return next ? knownKeys(next, rest) : [];
  }
  if (element && typeof head === 'number') return knownKeys(element, rest);
  if (valueType && head !== undefined) return knownKeys(valueType, rest);
  return [];
}
