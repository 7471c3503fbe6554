import type { SimulatedCall } from '../src/simulator/faults.ts';
import { publishedRates, type QuotaName } from '../src/simulator/quotas.ts';

/** The quota that a call counts against, and its bucket. */
function quotaOf(call: SimulatedCall): { quota: QuotaName; bucket: string } | null {
  if (call.provider === 'aws')
    return /^(AssumeRole|GetCallerIdentity)/.test(call.operation) ? null : { quota: 'aws-config', bucket: call.scope };
  if (call.provider === 'azure')
    return call.operation.includes('ResourceGraph') ? { quota: 'azure-resource-graph', bucket: 'identity' } : null;
  if (call.operation === 'ListAssets') return { quota: 'gcp-list-assets', bucket: 'project' };
  return call.operation.startsWith('Search') ? { quota: 'gcp-search', bucket: 'project' } : null;
}

/** Seconds that this many calls take at least under a quota that starts full. */
function seconds(quota: QuotaName, calls: number): number {
  const rate = publishedRates[quota];
  const window = rate.perMilliseconds / 1000;
  // Resource Graph counts in fixed windows; the others refill continuously.
  if (quota === 'azure-resource-graph') return (Math.ceil(calls / rate.requests) - 1) * window;
  return (Math.max(0, calls - rate.requests) * window) / rate.requests;
}

/** The arithmetic floor of a collection: the bucket that needs longest, all of them running side by side. */
export function quotaFloor(calls: readonly SimulatedCall[]): { seconds: number; tightest: string; calls: number } {
  const counts = new Map<string, { quota: QuotaName; count: number }>();
  for (const call of calls) {
    const place = quotaOf(call);
    if (!place) continue;
    const key = `${place.quota} ${place.bucket}`;
    counts.set(key, { quota: place.quota, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  let longest = { seconds: 0, tightest: 'none', calls: calls.length };
  for (const [key, { quota, count }] of counts) {
    const needed = seconds(quota, count);
    if (needed > longest.seconds) longest = { seconds: needed, tightest: `${key}: ${count} calls`, calls: calls.length };
  }
  return longest;
}
