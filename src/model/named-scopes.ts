import type { Scope } from './provider.ts';

/** Of the configuration's scopes, what it names one by one. */
export interface ConfiguredScopes {
  readonly aws?:
    readonly { readonly accounts?: readonly string[] | undefined; readonly regions?: readonly string[] | undefined }[] | undefined;
  readonly azure?: readonly { readonly subscriptions?: readonly string[] | undefined }[] | undefined;
  readonly gcp?: readonly { readonly projects?: readonly string[] | undefined }[] | undefined;
}

/** Scopes that the configuration names one by one: a ledger without them was not made with it, or has lost them. */
export function namedScopes(scopes: ConfiguredScopes | undefined): Scope[] {
  const aws = (scopes?.aws ?? []).flatMap(({ accounts = [], regions = [] }) =>
    accounts.flatMap((account) => regions.map((region): Scope => ({ provider: 'aws', account, region }))),
  );
  const azure = (scopes?.azure ?? []).flatMap(({ subscriptions = [] }) =>
    subscriptions.map((id): Scope => ({ provider: 'azure', account: id.toLowerCase(), region: '*' })),
  );
  // A project may be named by its number, which the ledger does not use.
  const gcp = (scopes?.gcp ?? []).flatMap(({ projects = [] }) =>
    projects
      .map((name) => name.replace(/^projects\//, ''))
      .filter((name) => !/^\d+$/.test(name))
      .map((account): Scope => ({ provider: 'gcp', account, region: '*' })),
  );
  return [...aws, ...azure, ...gcp];
}
