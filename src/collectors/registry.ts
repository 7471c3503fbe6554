import type { PageReader } from '../evidence/reader.ts';
import type { Json, Provider, ProviderVerdict, Resource } from '../model/index.ts';
import { awsConfig } from './aws-config/collector.ts';
import { azurePolicy } from './azure-policy/collector.ts';
import { azureResourceGraph } from './azure-resource-graph/collector.ts';
import type { Collector } from './collector.ts';
import { gcpAssetInventory } from './gcp-asset-inventory/collector.ts';

/**
 * Every collector. Their `collector.ts` files import no SDK: each loads its own `client.ts` (the folder's only SDK import)
 * with `await import('./client.ts')` when it first talks to the provider, so that reading evidence back costs nothing.
 */
export const collectors: readonly Collector[] = [awsConfig, azureResourceGraph, azurePolicy, gcpAssetInventory];

/** The page maps of all collectors by `query.shape`, for the evidence reader. Throws where two collectors claim one shape. */
export function pageReaders(from: readonly Collector[] = collectors): Readonly<Record<string, PageReader>> {
  const readers: Record<string, PageReader> = {};
  for (const collector of from) {
    for (const [shape, map] of Object.entries(collector.shapes)) {
      if (Object.hasOwn(readers, shape)) throw new Error(`two collectors read pages of the shape ${shape}`);
      readers[shape] = map;
    }
  }
  return readers;
}

/** Reads one document in whatever shape a provider hands out; null when no collector knows it. */
export function readDocument(document: Json, hint: { type: string; id: string; provider?: Provider }): Resource[] | null {
  for (const collector of collectors) {
    if (hint.provider !== undefined && hint.provider !== collector.provider) continue;
    const read = collector.readDocument?.(document, hint) ?? null;
    if (read !== null) return read;
  }
  return null;
}

/** The provider's own verdicts in one document; null when no collector finds any. */
export function readVerdicts(document: Json): ProviderVerdict[] | null {
  for (const collector of collectors) {
    const read = collector.readVerdicts?.(document) ?? null;
    if (read !== null) return read;
  }
  return null;
}
