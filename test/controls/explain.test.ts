import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { explainControl } from '../../src/controls/catalogue/explain.ts';
import { compileControls, loadCatalogue } from '../../src/controls/catalogue/load.ts';
import { lookupTable } from '../../src/controls/lookups/tables.ts';

const text = `
- id: azure-test-key
  title: Keys are protected
  section: S
  level: 2
  assessment: automated
  profiles: [Level 2]
  description: A long description that has to be wrapped because it does not fit on a single line of one hundred characters, by far.
  impact: { pros: good, cons: bad }
  checks:
  - id: vault
    on: Microsoft.Storage/storageAccounts
    scope: { critical: true }
    when: { field: properties.kind, equals: x }
    let:
      vault: { lookup: azure.keyvault.by-uri, by: properties.uri }
      enabled: { first: properties.rules, as: r, where: { field: $r.on, equals: true } }
    require:
      all:
      - { field: $vault.properties.enablePurgeProtection, equals: true, ifMissing: { then: false, when: $vault.properties } }
      - any:
        - { field: properties.age, as: days, atMost: 90 }
        - { field: properties.public, present: false, because: left out when private }
      - none: { in: $enabled.list, as: e, where: { field: $e, in: [a, b] } }
  - id: trail
    on: microsoft.insights/diagnosticsettings
    aggregate: { per: accountId, atLeast: 1, emptyScope: fail }
    require: { field: properties.on, equals: true }
  - id: native
    verdict: { azurePolicy: 0a370ff3-6cab-4e85-8995-295fd854c5b8 }
`;

describe('explain', () => {
  test('prints a control as a person reads it', () => {
    const [control] = compileControls(text);
    if (control === undefined) throw new Error('no control');
    expect(explainControl(control)).toBe(`Keys are protected
==================
azure-test-key · S · level 2 · automated
defined in controls.yaml:2

Description
-----------
A long description that has to be wrapped because it does not fit on a single line of one hundred
characters, by far.

Check 1 of 3: Keys are protected (vault)
----------------------------------------
Judged for each microsoft.storage/storageaccounts that holds critical data.

It applies where
  - properties.kind is x

With
  $vault: the record of azure.keyvault.by-uri (${lookupTable('azure.keyvault.by-uri')?.title ?? ''}) for properties.uri
  $enabled: the first entry $r of properties.rules, where
    - $r.on is true

It passes where
  - $vault.properties.enablePurgeProtection is true; where it is missing although $vault.properties is there, this counts as not met
  - at least one of these:
    - properties.age (as days) is at most 90
    - properties.public is not set (left out when private)
  - no entry $e of $enabled.list, for which
    - $e is one of a, b

Whatever the evidence does not show, or does not show in the expected form, is unknown and never a pass.
It rests on the records of azure.keyvault.by-uri too.

Check 2 of 3: Keys are protected (trail)
----------------------------------------
Judged for each microsoft.insights/diagnosticsettings.

It passes for each account in which at least 1 of them meets this:
  - properties.on is true

Where there is none at all, the result is fail.

Whatever the evidence does not show, or does not show in the expected form, is unknown and never a pass.

Check 3 of 3: Keys are protected (native)
-----------------------------------------
The results of the Azure Policy definition 0a370ff3-6cab-4e85-8995-295fd854c5b8 decide.
A resource without a result, or with one that is not a verdict, is unknown.

Impact
------
In favour: good

Against: bad
`);
  });

  test('every control of the catalogue can be explained, with its conditions', async () => {
    const { controls } = await loadCatalogue(join(import.meta.dirname, '../../controls.yaml'));
    for (const control of controls) {
      const words = explainControl(control);
      expect(words).toContain(control.control.title);
      expect(words).not.toMatch(/\[object Object\]|undefined|is a value\b/);
    }
  });
});
