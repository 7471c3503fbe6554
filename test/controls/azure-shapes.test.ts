import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readDocument } from '../../src/collectors/registry.ts';
import { loadCatalogue } from '../../src/controls/catalogue/load.ts';
import { documentJudge } from '../../src/controls/assess/try.ts';
import { isJsonObject } from '../../src/model/index.ts';
import type { Json, JsonObject } from '../../src/model/index.ts';
import { casesAsOf, readCases, root } from '../support/cases.ts';

/** The cases of every Azure control in the shapes of other tools than Resource Graph: the verdict may not depend on the tool. */
const catalogue = await loadCatalogue(join(root, 'controls.yaml'));
const judge = documentJudge(catalogue, readDocument, { asOf: casesAsOf });

/** `az` keeps the properties of vaults below `properties`, and subscriptions have none. */
const nested = ['microsoft.keyvault/vaults', 'microsoft.keyvault/managedhsms', 'microsoft.resources/subscriptions'];

function laidFlat(document: JsonObject): JsonObject {
  const { properties, ...rest } = document;
  if (!isJsonObject(properties) || nested.includes(String(document.type).toLowerCase())) return document;
  const flat: JsonObject = { ...properties, ...rest };
  const { encryption } = flat;
  if (isJsonObject(encryption) && isJsonObject(encryption.identity)) {
    const { identity, ...others } = encryption;
    flat.encryption = {
      ...others,
      encryptionIdentity: {
        encryptionUserAssignedIdentity: identity.userAssignedIdentity ?? null,
        encryptionFederatedIdentityClientId: identity.federatedIdentityClientId ?? null,
      },
    };
    // A factory has an identity there under its own name.
    if (encryption.keySource === undefined) flat.encryption = encryption;
  }
  return flat;
}

function inSnakeCase(value: Json): Json {
  if (Array.isArray(value)) return value.map(inSnakeCase);
  if (!isJsonObject(value)) return value;
  const name = (key: string): string =>
    /[/-]/.test(key)
      ? key
      : key
          .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
          .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
          .toLowerCase();
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [name(key), key === 'tags' ? held : inSnakeCase(held)]));
}

const capital = (document: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(document).map(([key, value]) => [key.charAt(0).toUpperCase() + key.slice(1), value]));

const shapes: Record<string, (document: JsonObject) => Json> = {
  'laid flat by the command line': laidFlat,
  'snake case of the SDK for Python': (document) => inSnakeCase(laidFlat(document)),
  'capital letters of PowerShell': capital,
  'a page': (document) => ({ value: [document], nextLink: null }),
  'properties as text': ({ properties, ...rest }) => ({
    ...rest,
    properties: isJsonObject(properties) ? JSON.stringify(properties) : (properties ?? null),
  }),
};

const cases = catalogue.controls.flatMap(({ control, checks }) =>
  (control.provider === 'azure' ? (readCases(control) ?? []) : []).flatMap((one) => {
    const check = checks.find((entry) => entry.kind === 'condition' && (one.check === undefined || entry.id === one.check));
    if (check?.kind !== 'condition' || one.document === undefined || Object.keys(one.parameters).length > 0) return [];
    return [{ control: control.id, check: check.id, type: one.type ?? check.on[0] ?? '', one, document: one.document }];
  }),
);

test.each(Object.entries(shapes))('%s: every case is judged as it is in the shape of Resource Graph', (_, shape) => {
  const of = (document: Json): Json => (isJsonObject(document) ? shape(document) : document);
  const differing: string[] = [];
  for (const { control, check, type, one, document } of cases) {
    const related = one.related.map((other) => ({ type: other.type, document: of(other.document) }));
    const results = judge({ id: one.name, type, document: of(document), related, complete: one.complete });
    const result = typeof results === 'string' ? null : results.find((entry) => entry.control === control && entry.check === check);
    if (result?.status !== one.expect)
      differing.push(`${control}, ${one.name}: ${result?.status ?? String(results)} (${result?.reason ?? ''})`);
  }
  expect(differing).toEqual([]);
  expect(cases.length).toBeGreaterThan(300);
});
