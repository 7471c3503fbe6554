import { parse } from 'yaml';
import { z } from 'zod';
import { namedScopes, scopeKey } from '../../model/index.ts';
import type { Scope, Shortfall } from '../../model/index.ts';
import type { ProblemList } from './codes.ts';
import type { LedgerPart } from './results.ts';

const names = z.array(z.coerce.string()).optional();
const scopesSchema = z.object({
  scopes: z
    .object({
      aws: z.array(z.object({ accounts: names, regions: names })).optional(),
      azure: z.array(z.object({ subscriptions: names })).optional(),
      gcp: z.array(z.object({ projects: names })).optional(),
    })
    .default({}),
});

/**
 * What the configuration in the pack names one by one is in the ledger, and nothing of it was left out: that, only the configuration
 * could have said. What `shortfalls` admits claims nothing.
 */
export function checkScopes(
  configuration: string | undefined,
  ledger: LedgerPart,
  shortfalls: readonly Shortfall[],
  problems: ProblemList,
): void {
  for (const scope of named(configuration)) {
    const key = scopeKey(scope);
    const admitted = shortfalls.filter((one) => scopeKey(one.scope) === key);
    const known = ledger.scopes.filter(
      (one) => one.provider === scope.provider && one.account === scope.account && (one.region === scope.region || one.region === '*'),
    );
    if (known.length === 0) {
      if (admitted.length === 0) problems.add('ledger-disagrees', `the configuration names ${key}, and the ledger does not know it`);
      continue;
    }
    if (known.every(({ status }) => status === 'excluded') && admitted.length === 0)
      problems.add('ledger-disagrees', `the configuration names ${key}, and the ledger has it left out by configuration`);
    for (const entry of ledger.entries) {
      if (entry.status !== 'excluded' || scopeKey(entry) !== key || admitted.some(({ type }) => type === entry.type)) continue;
      // What belongs to an account is collected in one of its regions.
      const elsewhere = ledger.entries.some(
        (one) =>
          one.provider === 'aws' &&
          one.status !== 'excluded' &&
          one.type === entry.type &&
          one.account === entry.account &&
          one.region !== entry.region,
      );
      if (!elsewhere || !/^AWS::(?:IAM|S3::AccountPublicAccessBlock)/.test(entry.type))
        problems.add('ledger-disagrees', `${entry.type} in ${key}: the ledger has it left out by configuration, which names it`);
    }
  }
}

function named(configuration: string | undefined): Scope[] {
  try {
    return namedScopes(scopesSchema.parse(parse(configuration ?? '', { maxAliasCount: 100, logLevel: 'silent' }) ?? {}).scopes);
  } catch {
    return []; // told with the choices that it makes
  }
}
