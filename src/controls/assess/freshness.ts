import { freshnessParameters, type Json, type Provider, type Reason } from '../../model/index.ts';

const resourceLimits: Readonly<Record<Provider, keyof typeof freshnessParameters>> = {
  aws: 'awsConfigMaxAgeHours',
  azure: 'azureResourceGraphMaxAgeHours',
  gcp: 'gcpAssetInventoryMaxAgeHours',
};
const verdictLimits: Partial<Record<Provider, keyof typeof freshnessParameters>> = {
  aws: 'awsConfigRulesMaxAgeHours',
  azure: 'azurePolicyMaxAgeHours',
};

export interface Freshness {
  /** Why a resource's state is too old to rely on; null when it is not. */
  resource(provider: Provider, capturedAt: string | null): Reason | null;
  verdict(provider: Provider, evaluatedAt: string | null): Reason | null;
}

/** Throws for a limit that is not a positive number: a limit that cannot be read must not be ignored. */
export function freshness(parameters: Readonly<Record<string, Json>>, asOf: string): Freshness {
  const now = Date.parse(asOf);
  const limitOf = (name: keyof typeof freshnessParameters): number | null => {
    const value = Object.hasOwn(parameters, name) ? parameters[name] : freshnessParameters[name].default;
    if (value === null || value === undefined) return null;
    if (typeof value !== 'number' || !(value > 0)) throw new Error(`parameter ${name} must be a positive number of hours`);
    return value;
  };
  const limits = Object.fromEntries(
    Object.keys(freshnessParameters).map((name) => [name, limitOf(name as keyof typeof freshnessParameters)]),
  ) as Record<keyof typeof freshnessParameters, number | null>;
  const judge = (name: keyof typeof freshnessParameters | undefined, at: string | null): Reason | null => {
    const limit = name === undefined ? null : limits[name];
    if (limit === null) return null;
    const instant = at === null ? Number.NaN : Date.parse(at);
    if (Number.isNaN(instant))
      return { code: 'stale', message: `the evidence does not say when it was captured, and may be older than ${limit} hours` };
    const hours = (now - instant) / 3_600_000;
    return hours > limit
      ? { code: 'stale', message: `captured ${at}, ${Math.floor(hours)} hours before ${asOf}: older than the ${limit} hours allowed` }
      : null;
  };
  return {
    resource: (provider, capturedAt) => judge(resourceLimits[provider], capturedAt),
    verdict: (provider, evaluatedAt) => judge(verdictLimits[provider], evaluatedAt),
  };
}
