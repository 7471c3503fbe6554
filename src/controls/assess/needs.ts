import type { Needs, Provider } from '../../model/index.ts';
import { accessReads, accessTypes } from '../access/access.ts';
import { mergeReads } from '../lookups/table-index.ts';
import { ledgerType, type LookupTable } from '../lookups/table.ts';
import { tablesNeeded } from '../lookups/tables.ts';
import type { Catalogue, CompiledCheck } from '../types.ts';

const sorted = (values: Iterable<string>): string[] => [...new Set(values)].sort();

/** What checks read of the lookup tables, that of the access analysis included where one asks who can read. */
export function tableReads(checks: Iterable<CompiledCheck>): Map<string, readonly string[] | '*'> {
  const reads: ReadonlyMap<string, readonly string[] | '*'>[] = [];
  for (const check of checks) {
    if (check.kind !== 'condition') continue;
    reads.push(check.reads);
    if (check.usesReaders) reads.push(...check.on.map((type) => new Map(Object.entries(accessReads(check.provider, type)))));
  }
  return mergeReads(reads);
}

/** Ledger types that checks look records up in, or that tell who can read. */
export function lookedUpTypes(checks: readonly CompiledCheck[]): Set<string> {
  const types = new Set(tablesNeeded(tableReads(checks).keys()).flatMap(({ sources }) => sources.map(ledgerType)));
  for (const check of checks) {
    if (check.kind !== 'condition' || !check.usesReaders) continue;
    for (const type of check.on.flatMap((one) => accessTypes(check.provider, one))) types.add(type);
  }
  return types;
}

/** The lists that say which accounts, subscriptions and projects there are, and what lies above them. */
const scopeLists: Readonly<Record<Provider, readonly string[]>> = {
  aws: [],
  azure: ['microsoft.resources/subscriptions'],
  gcp: ['cloudresourcemanager.googleapis.com/Project'],
};

/** What a collection has to bring for these controls: their own types, those of their lookup tables, native rules. */
export function needsOf(catalogue: Catalogue): Needs {
  const checks = catalogue.controls.flatMap(({ control, checks: own }) => own.map((check) => ({ provider: control.provider, check })));
  const types: Record<Provider, Set<string>> = { aws: new Set(), azure: new Set(), gcp: new Set() };
  const iamPolicies = new Set<string>();
  let orgPolicies = false;

  const needType = (provider: Provider, type: string): void => {
    if (type.startsWith('iam-policy:')) iamPolicies.add(type.slice('iam-policy:'.length));
    else if (type === 'org-policy') orgPolicies = true;
    else types[provider].add(type);
  };
  for (const { provider, check } of checks) {
    for (const type of scopeLists[provider]) types[provider].add(type);
    if (check.kind === 'verdict') for (const type of check.about?.types ?? []) needType(provider, type);
    if (check.kind !== 'condition') continue;
    for (const type of check.on) needType(provider, type);
    if (check.usesReaders) for (const type of check.on.flatMap((one) => [...accessTypes(provider, one)])) needType(provider, type);
  }
  const tables: readonly LookupTable[] = tablesNeeded(tableReads(checks.map(({ check }) => check)).keys());
  for (const { provider, sources } of tables) {
    for (const source of sources)
      needType(
        provider,
        source.kind === 'iam-policy' ? `iam-policy:${source.type}` : source.kind === 'org-policy' ? 'org-policy' : source.type,
      );
  }
  const rules = (provider: Provider): string[] =>
    sorted(
      checks.flatMap(({ provider: of, check }) =>
        of === provider && check.kind === 'verdict' ? [provider === 'azure' ? check.rule.toLowerCase() : check.rule] : [],
      ),
    );

  return {
    types: { aws: sorted(types.aws), azure: sorted(types.azure), gcp: sorted(types.gcp) },
    iamPolicies: sorted(iamPolicies),
    orgPolicies,
    awsConfigRules: rules('aws'),
    azurePolicies: rules('azure'),
  };
}
