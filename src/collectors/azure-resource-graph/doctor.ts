import { type DoctorFinding } from '../collector.ts';
import type { CollectContext } from '../collector.ts';
import { subscriptionType, subscriptionsQuery } from './queries.ts';
import { tenantScopes } from './scopes.ts';

export async function diagnose(context: Omit<CollectContext, 'writer'>): Promise<DoctorFinding[]> {
  void context; void subscriptionType; void subscriptionsQuery; void tenantScopes;
  return [];
}
