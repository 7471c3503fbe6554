import type { Json } from '../../model/index.ts';
import {
  age,
  bool,
  fold,
  isScalar,
  longestMatched,
  nonEmptySet,
  overlap,
  prepareDate,
  prepareDuration,
  prepareNumber,
  preparePattern,
  prepareScalar,
  prepareSet,
  prepareTexts,
  scalars,
  testEqual,
  testIn,
} from './comparing.ts';
import type { Comparison, Scalar, ScalarSet } from './comparing.ts';
import { parseDate } from './convert.ts';
import { FALSE, jsonType, negate, TRUE, UNKNOWN } from './values.ts';
import type { JsonType, Tri } from './values.ts';

/**
 * One entry of the operator table. `prepare` turns the expected value into what `test` wants, once for a literal;
 * undefined says that the expected value has a type the operator does not take. `test` answers UNKNOWN whenever the
 * observed value has another type than the operator takes: never TRUE, never FALSE.
 */
export interface Operator {
  readonly name: string;
  readonly summary: string;
  /** JSON types of the field it can decide on. */
  readonly observed: readonly JsonType[];
  /** What may stand on its right-hand side, in words. */
  readonly expected: string;
  readonly example: string;
  /** `is false, expected true`: the phrase after `expected`. */
  readonly phrase: (expected: string) => string;
  readonly prepare: (expected: Json, comparison: Comparison) => unknown;
  readonly test: (observed: Json, prepared: never, comparison: Comparison) => Tri;
  /** Whether `single: true` may turn a lone value into a list of one. */
  readonly listed?: boolean;
  /** On a list known in part, the one outcome that the known elements can settle. */
  readonly partial?: 'true' | 'false';
  /** The right-hand side is a path. */
  readonly path?: boolean;
}

function operator<P>(
  entry: Omit<Operator, 'prepare' | 'test'> & {
    prepare: (expected: Json, comparison: Comparison) => P | undefined;
    test: (observed: Json, prepared: P, comparison: Comparison) => Tri;
  },
): Operator {
  return entry;
}

function opposite<P>(
  test: (observed: Json, prepared: P, comparison: Comparison) => Tri,
): (observed: Json, prepared: P, comparison: Comparison) => Tri {
  return (observed, prepared, comparison) => negate(test(observed, prepared, comparison));
}

const compare = (
  name: string,
  summary: string,
  example: string,
  phrase: (expected: string) => string,
  decide: (observed: number, expected: number) => boolean,
): Operator =>
  operator<number>({
    name,
    summary,
    example,
    phrase,
    observed: ['number'],
    expected: 'a number',
    prepare: prepareNumber,
    // A number too great for a double was parsed as infinity: it is no number that anyone stated.
    test: (observed, expected) => (typeof observed === 'number' && Number.isFinite(observed) ? bool(decide(observed, expected)) : UNKNOWN),
  });

/** In the order of the reference. `present` and the quantifiers are part of the condition compiler: they look at absence and at lists. */
export const operators: readonly Operator[] = [
  operator<Scalar>({
    name: 'equals',
    summary: 'Is this value. Azure: without case.',
    observed: scalars,
    expected: 'a text, number or boolean',
    example: '{ field: configuration.encrypted, equals: true }',
    phrase: (expected) => expected,
    prepare: prepareScalar,
    test: testEqual,
  }),
  operator<Scalar>({
    name: 'notEquals',
    summary: 'Is another value of the same type.',
    observed: scalars,
    expected: 'a text, number or boolean',
    example: '{ field: configuration.keyManager, notEquals: AWS }',
    phrase: (expected) => `anything but ${expected}`,
    prepare: prepareScalar,
    test: opposite(testEqual),
  }),
  operator<Scalar>({
    name: 'sameAs',
    summary: 'Is the same value as the one at this path, and of the same type: short for `equals: { ref: path }`.',
    observed: scalars,
    expected: 'a path',
    path: true,
    example: '{ field: $key.accountId, sameAs: accountId }',
    phrase: (expected) => `the same as ${expected}`,
    prepare: prepareScalar,
    test: testEqual,
  }),
  operator<ScalarSet>({
    name: 'in',
    summary: 'Is one of these values, all of one type.',
    observed: scalars,
    expected: 'a list of texts, of numbers or of booleans',
    example: '{ field: $sse.sseAlgorithm, in: ["aws:kms", "aws:kms:dsse"] }',
    phrase: (expected) => `one of ${expected}`,
    prepare: prepareSet,
    test: testIn,
  }),
  operator<ScalarSet>({
    name: 'notIn',
    summary: 'Is a value of the same type, and none of these.',
    observed: scalars,
    expected: 'a list of texts, of numbers or of booleans',
    example: '{ field: configuration.keyState, notIn: [PendingDeletion, PendingReplicaDeletion] }',
    phrase: (expected) => `none of ${expected}`,
    prepare: prepareSet,
    test: opposite(testIn),
  }),
  operator<RegExp>({
    name: 'matches',
    summary: `Matches the regular expression (unanchored; at most ${longestMatched} characters are matched, a longer text is unknown).`,
    observed: ['string'],
    expected: 'a regular expression without nested repetition',
    example: "{ field: name, matches: '/cryptoKeys/[^/]+$' }",
    phrase: (expected) => `a text matching ${expected}`,
    prepare: preparePattern,
    test: (observed, pattern) =>
      typeof observed === 'string' && observed.length <= longestMatched ? bool(pattern.test(observed)) : UNKNOWN,
  }),
  operator<RegExp>({
    name: 'notMatches',
    summary: 'Is a text that does not match the regular expression.',
    observed: ['string'],
    expected: 'a regular expression without nested repetition',
    example: "{ field: $key.arn, notMatches: ':alias/' }",
    phrase: (expected) => `a text not matching ${expected}`,
    prepare: preparePattern,
    test: (observed, pattern) =>
      typeof observed === 'string' && observed.length <= longestMatched ? bool(!pattern.test(observed)) : UNKNOWN,
  }),
  operator<string[]>({
    name: 'startsWith',
    summary: 'Is a text that starts with this, or with one of these.',
    observed: ['string'],
    expected: 'a text, or a list of texts',
    example: "{ field: configuration.kmsKeyId, startsWith: 'arn:' }",
    phrase: (expected) => `a text starting with ${expected}`,
    prepare: prepareTexts,
    test: (observed, starts, comparison) => {
      if (typeof observed !== 'string') return UNKNOWN;
      const folded = fold(observed, comparison) as string;
      return bool(starts.some((start) => folded.startsWith(start)));
    },
  }),
  operator<string[]>({
    name: 'endsWith',
    summary: 'Is a text that ends with this, or with one of these.',
    observed: ['string'],
    expected: 'a text, or a list of texts',
    example: '{ field: $g.properties.roleDefinitionId, endsWith: e147488a-f6f5-4113-8e2d-b22465e65bf6 }',
    phrase: (expected) => `a text ending with ${expected}`,
    prepare: prepareTexts,
    test: (observed, ends, comparison) => {
      if (typeof observed !== 'string') return UNKNOWN;
      const folded = fold(observed, comparison) as string;
      return bool(ends.some((end) => folded.endsWith(end)));
    },
  }),
  operator<string[]>({
    name: 'containsText',
    summary: 'Is a text in which this, or one of these, occurs.',
    observed: ['string'],
    expected: 'a text, or a list of texts',
    example: "{ field: properties.keyVaultKeyUri, containsText: '/keys/' }",
    phrase: (expected) => `a text containing ${expected}`,
    prepare: prepareTexts,
    test: (observed, parts, comparison) => {
      if (typeof observed !== 'string') return UNKNOWN;
      const folded = fold(observed, comparison) as string;
      return bool(parts.some((part) => folded.includes(part)));
    },
  }),
  operator<ScalarSet>({
    name: 'contains',
    summary: 'Is a list with this element. `single: true` takes a lone value for a list of one.',
    observed: ['list'],
    expected: 'a text, number or boolean',
    listed: true,
    partial: 'true',
    example: '{ field: $b.members, contains: { ref: $agent } }',
    phrase: (expected) => `a list with ${expected}`,
    prepare: (expected, comparison) => (isScalar(expected) ? prepareSet([expected], comparison) : undefined),
    test: (observed, expected, comparison) => {
      const found = overlap(observed, expected, comparison);
      return found === null ? UNKNOWN : found.hits.size > 0 ? TRUE : found.mistyped ? UNKNOWN : FALSE;
    },
  }),
  operator<ScalarSet>({
    name: 'containsAll',
    summary: 'Is a list with every one of these elements.',
    observed: ['list'],
    expected: 'a list of texts, of numbers or of booleans',
    listed: true,
    partial: 'true',
    example: '{ field: $ap.permissions.keys, containsAll: [get, wrapKey, unwrapKey] }',
    phrase: (expected) => `a list with all of ${expected}`,
    prepare: nonEmptySet,
    test: (observed, expected, comparison) => {
      const found = overlap(observed, expected, comparison);
      return found === null ? UNKNOWN : found.hits.size === expected.values.size ? TRUE : found.mistyped ? UNKNOWN : FALSE;
    },
  }),
  operator<ScalarSet>({
    name: 'containsAny',
    summary: 'Is a list with at least one of these elements.',
    observed: ['list'],
    expected: 'a list of texts, of numbers or of booleans',
    listed: true,
    partial: 'true',
    example: '{ field: $s.Action, containsAny: ["kms:*", "*"], single: true }',
    phrase: (expected) => `a list with one of ${expected}`,
    prepare: nonEmptySet,
    test: (observed, expected, comparison) => {
      const found = overlap(observed, expected, comparison);
      return found === null ? UNKNOWN : found.hits.size > 0 ? TRUE : found.mistyped ? UNKNOWN : FALSE;
    },
  }),
  operator<ScalarSet>({
    name: 'containsNone',
    summary: 'Is a list with none of these elements.',
    observed: ['list'],
    expected: 'a list of texts, of numbers or of booleans',
    listed: true,
    partial: 'false',
    example: '{ field: $b.members, containsNone: [allUsers, allAuthenticatedUsers] }',
    phrase: (expected) => `a list with none of ${expected}`,
    prepare: nonEmptySet,
    test: (observed, expected, comparison) => {
      const found = overlap(observed, expected, comparison);
      return found === null ? UNKNOWN : found.hits.size > 0 ? FALSE : found.mistyped ? UNKNOWN : TRUE;
    },
  }),
  operator<ScalarSet>({
    name: 'containsOnly',
    summary: 'Is a list, not empty, whose every element is one of these.',
    observed: ['list'],
    expected: 'a list of texts, of numbers or of booleans',
    listed: true,
    partial: 'false',
    example: '{ field: properties.allowedProtocols, containsOnly: [TLS1_2, TLS1_3] }',
    phrase: (expected) => `a list holding nothing but ${expected}`,
    prepare: nonEmptySet,
    test: (observed, expected, comparison) => {
      const found = overlap(observed, expected, comparison);
      if (found === null) return UNKNOWN;
      if (found.others > 0) return FALSE;
      return found.mistyped ? UNKNOWN : bool(found.hits.size > 0);
    },
  }),
  compare(
    'atLeast',
    'Is a number not below this.',
    '{ field: configuration.backupRetentionPeriod, atLeast: 7 }',
    (expected) => `at least ${expected}`,
    (observed, expected) => observed >= expected,
  ),
  compare(
    'atMost',
    'Is a number not above this.',
    '{ field: $key.resource.data.rotationPeriod, as: seconds, atMost: 7776000 }',
    (expected) => `at most ${expected}`,
    (observed, expected) => observed <= expected,
  ),
  compare(
    'lessThan',
    'Is a number below this.',
    '{ field: properties.keySize, lessThan: 2048 }',
    (expected) => `less than ${expected}`,
    (observed, expected) => observed < expected,
  ),
  compare(
    'greaterThan',
    'Is a number above this.',
    '{ field: properties.softDeleteRetentionInDays, greaterThan: 6 }',
    (expected) => `more than ${expected}`,
    (observed, expected) => observed > expected,
  ),
  operator<number>({
    name: 'before',
    summary: 'Is a date before this one.',
    observed: ['string'],
    expected: 'a date, `asOf`, `asOf+P30D` or `asOf-P90D`',
    example: '{ field: configuration.validTo, before: asOf+P30D }',
    phrase: (expected) => `before ${expected}`,
    prepare: prepareDate,
    test: (observed, expected) => {
      const at = typeof observed === 'string' ? parseDate(observed) : null;
      return at === null ? UNKNOWN : bool(at < expected);
    },
  }),
  operator<number>({
    name: 'after',
    summary: 'Is a date after this one.',
    observed: ['string'],
    expected: 'a date, `asOf`, `asOf+P30D` or `asOf-P90D`',
    example: '{ field: configuration.validTo, after: asOf }',
    phrase: (expected) => `after ${expected}`,
    prepare: prepareDate,
    test: (observed, expected) => {
      const at = typeof observed === 'string' ? parseDate(observed) : null;
      return at === null ? UNKNOWN : bool(at > expected);
    },
  }),
  operator<number>({
    name: 'olderThan',
    summary: 'Is a date longer ago than this, counted back from `asOf`. A date more than a day ahead of `asOf` is unknown.',
    observed: ['string'],
    expected: 'an ISO 8601 duration, or a number of days',
    example: '{ field: resource.data.createTime, olderThan: P365D }',
    phrase: (expected) => `longer ago than ${expected}`,
    prepare: prepareDuration,
    test: (observed, expected, comparison) => {
      const elapsed = age(observed, comparison);
      return elapsed === null ? UNKNOWN : bool(elapsed > expected);
    },
  }),
  operator<number>({
    name: 'newerThan',
    summary: 'Is a date not longer ago than this, counted back from `asOf`. A date more than a day ahead of `asOf` is unknown.',
    observed: ['string'],
    expected: 'an ISO 8601 duration, or a number of days',
    example: '{ field: properties.encryption.keyvaultproperties.lastKeyRotationTimestamp, newerThan: { param: maxRotationDays } }',
    phrase: (expected) => `within ${expected} before the evidence was collected`,
    prepare: prepareDuration,
    test: (observed, expected, comparison) => {
      const elapsed = age(observed, comparison);
      return elapsed === null ? UNKNOWN : bool(elapsed <= expected);
    },
  }),
  operator<number>({
    name: 'validFor',
    summary: 'Is a date at least this far ahead of `asOf`.',
    observed: ['string'],
    expected: 'an ISO 8601 duration, or a number of days',
    example: '{ field: configuration.validTo, validFor: P30D }',
    phrase: (expected) => `still ${expected} ahead when the evidence was collected`,
    prepare: prepareDuration,
    test: (observed, expected, comparison) => {
      const at = typeof observed === 'string' ? parseDate(observed) : null;
      return at === null ? UNKNOWN : bool(at - comparison.asOf >= expected);
    },
  }),
  operator<boolean>({
    name: 'isEmpty',
    summary: 'Is a list with no element (`type: string` or `type: object`: a text with no character, an object with no key).',
    observed: ['list'],
    expected: 'true or false',
    example: '{ field: configuration.ipPermissions, isEmpty: true }',
    phrase: (expected) => (expected === 'true' ? 'an empty list' : 'a list that is not empty'),
    prepare: (expected) => (typeof expected === 'boolean' ? expected : undefined),
    test: (observed, expected) => {
      if (typeof observed === 'string') return bool((observed.length === 0) === expected);
      if (typeof observed !== 'object' || observed === null) return UNKNOWN;
      return bool((Array.isArray(observed) ? observed.length === 0 : Object.keys(observed).length === 0) === expected);
    },
  }),
];

export const operatorNames: readonly string[] = operators.map((entry) => entry.name);

export function operatorNamed(name: string): Operator | undefined {
  return operators.find((entry) => entry.name === name);
}

/** For messages: `a text`, `a list`. */
export function typeInWords(value: Json): string {
  const words: Record<JsonType, string> = {
    string: 'a text',
    number: 'a number',
    boolean: 'true or false',
    null: 'null',
    list: 'a list',
    object: 'an object',
  };
  return words[jsonType(value)];
}
