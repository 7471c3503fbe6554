import { z } from 'zod';

export const providers = ['aws', 'azure', 'gcp'] as const;
export const providerSchema = z.enum(providers);
export type Provider = z.infer<typeof providerSchema>;

/**
 * Where a resource lives, and the unit in which evidence is complete or not.
 * `account`: AWS account id, Azure subscription id (lower case), GCP project id.
 * `region`: the AWS region; `*` for Azure and GCP, whose inventories answer for all locations at once.
 */
export const scopeSchema = z.object({ provider: providerSchema, account: z.string(), region: z.string() });
export type Scope = z.infer<typeof scopeSchema>;

/** The one text form of a scope: `aws/111122223333/eu-west-1`, `azure/<subscription>/*`. */
export function scopeKey(scope: Scope): string {
  return `${scope.provider}/${scope.account}/${scope.region}`;
}
