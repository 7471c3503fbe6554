import type { JsonObject } from '../../model/index.ts';
import { chooseGcpKey, type ChosenKey, keyLocation, type KeyGroup } from './gcp-keys.ts';
import { type GcpCell, type GcpDraft, gcpLabels, type IamBinding } from './gcp-model.ts';
import { businessName, classify, type Classification, day } from './population.ts';
import type { Random } from './random.ts';

/** A kind of store: how much of the estate it is, and how one is made. */
export interface GcpStoreType {
  readonly type: string;
  readonly weight: number;
  make(cell: GcpCell, pick: Random, index: number): GcpDraft;
}

interface Store {
  readonly name: string;
  readonly classification: Classification;
  readonly labels: Record<string, string>;
  readonly createdAt: number;
  readonly key: ChosenKey;
}

export const zone = `${keyLocation}-b`;
export const compute = (cell: GcpCell): string => `https://www.googleapis.com/compute/v1/projects/${cell.project.id}`;

/** A type from what is particular to it. `weight` is its share of the estate, `group` the keys it uses. */
export function storeType(
  type: string,
  weight: number,
  group: KeyGroup,
  draft: (
    store: Store,
    cell: GcpCell,
    pick: Random,
  ) => Omit<GcpDraft, 'classification' | 'labels' | 'kmsKey' | 'displayName'> & { displayName?: string },
): GcpStoreType {
  return {
    type,
    weight,
    make(cell, pick, index) {
      const classification = classify(pick);
      const labels = gcpLabels(classification, pick, cell.project);
      const store: Store = {
        name: businessName(pick, index),
        classification,
        labels,
        createdAt: cell.asOf - Math.floor((20 + pick.next() * 900) * day),
        key: chooseGcpKey(cell, pick, group),
      };
      const made = draft(store, cell, pick);
      return { ...made, displayName: made.displayName ?? store.name, classification, labels, kmsKey: store.key.path };
    },
  };
}

/** Who may read: now and then everyone. */
export function readers(pick: Random, reader: string, cell: GcpCell): { bindings: IamBinding[]; troubles: string[] } {
  const open = pick.chance(0.015);
  const bindings: IamBinding[] = [
    {
      role: reader,
      members: [
        ...(open ? [pick.chance(0.5) ? 'allUsers' : 'allAuthenticatedUsers'] : []),
        `serviceAccount:app@${cell.project.id}.iam.gserviceaccount.com`,
        ...(pick.chance(0.4) ? [`user:${pick.pick(['ada', 'grace', 'radia'])}@northwind.example`] : []),
      ],
    },
  ];
  return { bindings, troubles: open ? ['public-data-access'] : [] };
}

export const encrypted = (name: string, key: string | null): JsonObject => (key === null ? {} : { [name]: { kmsKeyName: key } });
