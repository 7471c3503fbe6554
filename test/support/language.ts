import { compileCheck } from '../../src/controls/language/compile.ts';
import type {
  CheckOutcome,
  ConditionCheck,
  EvaluationEnvironment,
  LookupResult,
  ParameterDefinition,
  ReadersResult,
} from '../../src/controls/types.ts';
import type { Json, JsonObject, Provider, Resource } from '../../src/model/index.ts';

/** Compiles single checks and judges plain documents, for tests of the language. */

const types: Record<Provider, string> = {
  aws: 'AWS::S3::Bucket',
  azure: 'microsoft.storage/storageaccounts',
  gcp: 'storage.googleapis.com/Bucket',
};

export interface CheckParts {
  readonly require: Json;
  readonly when?: Json;
  readonly let?: Json;
  readonly satisfied?: Json;
}

export function compileParts(
  parts: CheckParts,
  provider: Provider = 'aws',
  parameters: Readonly<Record<string, ParameterDefinition>> = {},
): ConditionCheck {
  const { check, errors } = compileCheck(
    { id: 'main', title: 'Test', provider, definition: { on: types[provider], ...parts }, at: [] },
    parameters,
  );
  if (check === undefined) throw new Error(errors.map((error) => error.message).join('; '));
  return check;
}

export function subjectOf(document: JsonObject, provider: Provider = 'aws'): Resource {
  const scope = { provider, account: '111122223333', region: provider === 'aws' ? 'eu-west-1' : '*' };
  return {
    kind: 'resource',
    provider,
    type: types[provider],
    uid: 'subject',
    name: 'subject',
    account: scope.account,
    location: 'here',
    scope,
    tags: {},
    capturedAt: null,
    document,
    citation: { file: 'evidence/page.json', pointer: '/0', encoding: 'json' },
  };
}

export function record(
  uid: string,
  document: JsonObject,
): { uid: string; document: JsonObject; citation: Resource['citation']; capturedAt: null } {
  return { uid, document, citation: { file: 'evidence/keys.json', pointer: `/${uid}`, encoding: 'json' }, capturedAt: null };
}

export interface Surroundings {
  readonly asOf?: string;
  readonly parameters?: Readonly<Record<string, Json>>;
  readonly lookup?: (table: string, key: Json, many: boolean) => LookupResult;
  readonly readers?: ReadersResult;
}

export function surroundings(given: Surroundings = {}): EvaluationEnvironment {
  return {
    asOf: given.asOf ?? '2026-06-30T12:00:00Z',
    parameters: given.parameters ?? {},
    lookup: given.lookup ?? (() => ({ outcome: 'unknown', because: 'nothing was collected' })),
    readers: () => given.readers ?? { outcome: 'unknown', because: 'nothing was collected' },
  };
}

export function judge(parts: CheckParts, document: JsonObject, provider: Provider = 'aws', given: Surroundings = {}): CheckOutcome {
  return compileParts(parts, provider).evaluate(subjectOf(document, provider), surroundings(given));
}

/** true, false or unknown of one condition. */
export function truth(
  condition: Json,
  document: JsonObject,
  provider: Provider = 'aws',
  given: Surroundings = {},
): 'true' | 'false' | 'unknown' | 'error' {
  const { status } = judge({ require: condition }, document, provider, given);
  return status === 'pass' ? 'true' : status === 'fail' ? 'false' : status === 'unknown' ? 'unknown' : 'error';
}
