import type { Needs, Provider } from '../model/index.ts';
import { accessTables } from './access.ts';
import { type LookupTable, tablesNeeded } from './tables.ts';
import type { Catalogue, CompiledCheck, ConditionCheck } from './types.ts';

const sorted = (values: Iterable<string>): string[] => [...new Set(values)].sort();

/** Names of the tables that checks look into, those of the access analysis included where one asks who can read. */
export function tableNamesOf(checks: Iterable<CompiledCheck>): string[] {
  const names: string[] = [];
  for (const check of checks) {
    if (check.kind !== 'condition') continue;
    names.push(...check.reads.keys());
    if (check.usesReaders) names.push(...check.on.flatMap((type) => accessTables(check.provider, type)));
  }
  return sorted(names);
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
    if (check.kind === 'condition') for (const type of check.on) needType(provider, type);
  }
  const tables: readonly LookupTable[] = tablesNeeded(tableNamesOf(checks.map(({ check }) => check)));
  for (const { provider, sources } of tables) {
    for (const source of sources) needType(provider, source.kind === 'iam-policy' ? `iam-policy:${source.type}` : source.kind === 'org-policy' ? 'org-policy' : source.type);
  }
  const rules = (provider: Provider): string[] =>
    sorted(checks.flatMap(({ provider: of, check }) => (of === provider && check.kind === 'verdict' ? [provider === 'azure' ? check.rule.toLowerCase() : check.rule] : [])));

  return {
    types: { aws: sorted(types.aws), azure: sorted(types.azure), gcp: sorted(types.gcp) },
    iamPolicies: sorted(iamPolicies),
    orgPolicies,
    awsConfigRules: rules('aws'),
    azurePolicies: rules('azure'),
  };
}

/** Condition checks, with the control they belong to. */
export function conditionChecks(catalogue: Catalogue): ConditionCheck[] {
  return catalogue.controls.flatMap(({ checks }) => checks.filter((check) => check.kind === 'condition'));
}
