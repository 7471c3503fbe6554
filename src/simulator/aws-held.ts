import type { JsonObject } from '../model/index.ts';
import { type AwsCall, AwsError, text } from './aws-call.ts';
import { type DeployedRule, rulesOf } from './aws-rules.ts';
import type { AwsEstate, AwsItem } from './estate/aws-model.ts';
import { day, type Population } from './estate/population.ts';
import { covers } from './faults.ts';

/** The one aggregator of the organisation. */
export const aggregatorName = 'northwind-organisation';

/** What the recorders, rules and aggregator of the estate hold, as the faults of a call leave it. */
export interface AwsHeld {
  readonly estate: AwsEstate;
  readonly asOf: number;
  readonly regions: ReadonlySet<string>;
  readonly rules: (account: string, region: string) => DeployedRule[];
  /** Populations a scope's recorder holds: an unrecorded type is not there, and an aggregator has nothing of a source that failed. */
  readonly recorded: (call: AwsCall, account: string | null, region: string | null, aggregated?: boolean) => Population<AwsItem>[];
  readonly capturedAt: (call: AwsCall, item: AwsItem) => number;
  readonly sourceFailed: (call: AwsCall, account: string, region: string) => boolean;
  /** Throws AwsError unless the call is the home's and names its aggregator. */
  readonly requireAggregator: (call: AwsCall) => void;
  /** Every account and region that the aggregator covers. */
  readonly sources: () => { account: string; region: string }[];
}

/** One family of operations, by name; they throw AwsError and InvalidExpression for what they refuse. */
export type AwsOperations = Readonly<Record<string, (call: AwsCall) => JsonObject>>;

export function awsHeld({ estate, seed, asOf }: { estate: AwsEstate; seed: number; asOf: number }): AwsHeld {
  const regions = new Set(estate.regions);
  const ruleCache = new Map<string, DeployedRule[]>();
  const rules = (account: string, region: string): DeployedRule[] => {
    const key = `${account}.${region}`;
    const held = ruleCache.get(key) ?? (regions.has(region) ? rulesOf(estate, seed, asOf, account, region) : []);
    ruleCache.set(key, held);
    return held;
  };
  const scopeOf = (population: Population<AwsItem>): string => `${population.account}.${population.region}`;
  const sourceFailed = (call: AwsCall, account: string, region: string): boolean =>
    covers(call.faults, 'aggregator-source-failed', { scope: `${account}.${region}` });
  const recorded = (call: AwsCall, account: string | null, region: string | null, aggregated = false): Population<AwsItem>[] =>
    estate.populations.filter(
      (population) =>
        (account === null || population.account === account) &&
        (region === null || population.region === region) &&
        !(aggregated && sourceFailed(call, population.account, population.region)) &&
        !covers(call.faults, 'type-not-recorded', { scope: scopeOf(population), type: population.type }),
    );
  const capturedAt = (call: AwsCall, item: AwsItem): number =>
    covers(call.faults, 'daily-stale', { scope: `${item.accountId}.${item.recordedIn}`, type: item.resourceType })
      ? item.capturedAt - 3 * day
      : item.capturedAt;

  const requireAggregator = (call: AwsCall): void => {
    if (
      text(call.input, 'ConfigurationAggregatorName') !== aggregatorName ||
      call.account !== estate.home.account ||
      call.region !== estate.home.region
    ) {
      throw new AwsError('NoSuchConfigurationAggregatorException', 'The configuration aggregator does not exist.');
    }
  };
  const sources = (): { account: string; region: string }[] =>
    estate.accounts.flatMap((account) => estate.regions.map((region) => ({ account: account.id, region })));
  return { estate, asOf, regions, rules, recorded, capturedAt, sourceFailed, requireAggregator, sources };
}

/** Under `insufficient-data` a rule has judged nothing. */
export const insufficient = (call: AwsCall, rule: DeployedRule): boolean =>
  covers(call.faults, 'insufficient-data', { scope: `${rule.account}.${rule.region}`, type: rule.spec.identifier });
