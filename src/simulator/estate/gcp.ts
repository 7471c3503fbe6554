import { gcpHierarchyPopulations } from './gcp-hierarchy.ts';
import { gcpKeyPopulations, gcpKeySpecs } from './gcp-keys.ts';
import { gcpAsset, type GcpAsset, type GcpCell, type GcpEstate, gcpProjects } from './gcp-model.ts';
import { gcpStoreTypes } from './gcp-stores.ts';
import { plantHostile } from './hostile.ts';
import { apportion, type Population } from './population.ts';
import { random } from './random.ts';

/** Builds the Google Cloud part: about `resources` assets over the projects. */
export function buildGcp(options: { seed: number; resources: number; asOf: number; projects: number; hostile?: boolean }): GcpEstate {
  const projects = gcpProjects.slice(0, Math.max(2, options.projects));
  const per = options.resources / projects.length;
  const cells = projects.map((project): GcpCell => ({
    seed: options.seed,
    asOf: options.asOf,
    project,
    keys: project.weight === 0 ? [] : gcpKeySpecs({ seed: options.seed, project, perProject: per }),
  }));
  const fixed = [...gcpHierarchyPopulations(cells), ...cells.flatMap(gcpKeyPopulations)];
  const used = fixed.reduce((sum, population) => sum + population.count, 0);
  const slots = cells.flatMap((cell) => gcpStoreTypes.map((store) => ({ cell, store, weight: store.weight * cell.project.weight })));
  const first = new Map<string, number>();
  slots.forEach((slot, index) => {
    if (slot.weight > 0 && !first.has(slot.store.type)) first.set(slot.store.type, index);
  });
  const counts = apportion(
    Math.max(0, options.resources - used - first.size),
    slots.map((slot) => slot.weight),
  );
  for (const index of first.values()) counts[index] = (counts[index] ?? 0) + 1;
  const stores = slots.map(({ cell, store }, index): Population<GcpAsset> => ({
    type: store.type,
    account: cell.project.id,
    region: '*',
    count: counts[index] ?? 0,
    record: (i) => {
      const pick = random(cell.seed, cell.project.id, store.type, i);
      const asset = gcpAsset(cell, store.type, pick, store.make(cell, pick, i));
      return options.hostile === true ? { ...asset, data: plantHostile(asset.data, index + i, 'protobuf') } : asset;
    },
  }));
  return { projects, populations: [...fixed, ...stores].filter((population) => population.count > 0) };
}
