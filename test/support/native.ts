import type { VerdictCheck } from '../../src/controls/types.ts';
import type { Provider } from '../../src/model/index.ts';
import type { FixtureRecord, FixtureUnit, FixtureVerdict } from './evidence.ts';
import { control } from './judging.ts';

/** Inventories and results of a native rule, to be judged together. */

export const guid = '0a370ff3-6cab-4e85-8995-295fd854c5b8';
export const servers = 'microsoft.sql/servers';
export const vaults = 'microsoft.keyvault/vaults';
export const [one, two] = ['11111111-0000-0000-0000-000000000001', '22222222-0000-0000-0000-000000000002'];

export const verdictControl = (provider: Provider, rule: string, as: 'resources' | 'parents', types: string[]) =>
  control(`${provider}-native`, provider, [
    { kind: 'verdict', id: 'main', title: 'Rule', provider, rule, about: { as, types } } satisfies VerdictCheck,
  ]);

export const idOf = (account: string, name: string, type = servers): string =>
  `/subscriptions/${account}/resourcegroups/rg/providers/${type}/${name}`;
export const inventory = (account: string, names: string[], more: Partial<FixtureUnit> = {}, type = servers): FixtureUnit => ({
  provider: 'azure',
  account,
  region: '*',
  type,
  records: names.map((name): FixtureRecord => ({ uid: idOf(account, name, type), document: {} })),
  ...more,
});
export const states = (
  account: string,
  verdicts: Record<string, string | FixtureVerdict>,
  more: Partial<FixtureUnit> = {},
  type = servers,
): FixtureUnit => ({
  provider: 'azure',
  account,
  region: '*',
  type: `verdict:${guid}`,
  verdicts: Object.entries(verdicts).map(([name, verdict]): FixtureVerdict =>
    typeof verdict === 'string' ? { uid: idOf(account, name, type), verdict, resourceType: type } : verdict,
  ),
  ...more,
});
export const notAssigned: Partial<FixtureUnit> = {
  entry: { status: 'not-recorded', reasons: [{ code: 'policy-not-assigned', message: 'not assigned' }] },
};
