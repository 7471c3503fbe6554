import { deployedRules } from './aws-rules.ts';
import { assignedPolicies } from './estate/azure-policy.ts';
import type { Estate } from './estate/index.ts';
import type { Fault } from './faults.ts';

/**
 * Faults that hold for a whole run, one at a time, for everything in the estate that they can befall:
 * with the faults of single calls (`faultsFor`), all that a sweep tries.
 */
export function wholeRunFaults(estate: Estate): Fault[] {
  const scopes = estate.aws.accounts.flatMap((account) => estate.aws.regions.map((region) => `${account.id}.${region}`));
  const recorded = estate.aws.populations.map((population) => ({
    scope: `${population.account}.${population.region}`,
    type: population.type,
  }));
  return [
    ...scopes.flatMap((scope): Fault[] => [
      { provider: 'aws', kind: 'recorder-stopped', match: { scope } },
      { provider: 'aws', kind: 'daily-stale', match: { scope } },
      { provider: 'aws', kind: 'aggregator-source-failed', match: { scope } },
      { provider: 'aws', kind: 'insufficient-data', match: { scope } },
    ]),
    ...recorded.map((match): Fault => ({ provider: 'aws', kind: 'type-not-recorded', match })),
    ...deployedRules.map((rule): Fault => ({ provider: 'aws', kind: 'insufficient-data', match: { type: rule.identifier } })),
    { provider: 'aws', kind: 'clock-skew' },
    { provider: 'aws', kind: 'short-pages' },
    ...estate.azure.subscriptions.map((subscription): Fault => ({
      provider: 'azure',
      kind: 'dropped-subscription',
      match: { scope: subscription.id },
    })),
    ...assignedPolicies.map((policy): Fault => ({ provider: 'azure', kind: 'policy-never-evaluated', match: { type: policy.id } })),
    { provider: 'azure', kind: 'clock-skew' },
    { provider: 'azure', kind: 'short-pages' },
    ...Object.keys(estate.counts.gcp).map((type): Fault => ({ provider: 'gcp', kind: 'asset-type-not-enabled', match: { type } })),
    { provider: 'gcp', kind: 'clock-skew' },
    { provider: 'gcp', kind: 'short-pages' },
  ];
}
