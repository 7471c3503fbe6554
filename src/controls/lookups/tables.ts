import type { LookupTable, TableFamilies } from './table.ts';
import { awsTableFamilies, awsTables } from './tables-aws.ts';
import { azureTableFamilies, azureTables } from './tables-azure.ts';
import { gcpTableFamilies, gcpTables } from './tables-gcp.ts';

/** Every table that has a name of its own. The entries stand in their provider's file. */
const named: readonly LookupTable[] = [...awsTables, ...azureTables, ...gcpTables];

/** Every family, by prefix. */
export const tableFamilies: TableFamilies = { ...awsTableFamilies, ...azureTableFamilies, ...gcpTableFamilies };

const tables = new Map(named.map((entry) => [entry.name, entry]));

/** Names of the tables that have one, for lint and suggestions. Families come besides. */
export const tableNames: readonly string[] = named.map((entry) => entry.name);

/** The table of that name, or of a family (`gcp.iam-policy:<asset type>`); undefined when there is none. */
export function lookupTable(name: string): LookupTable | undefined {
  const existing = tables.get(name);
  if (existing) return existing;
  const colon = name.indexOf(':');
  if (colon < 1) return undefined;
  const family = tableFamilies[name.slice(0, colon)];
  const type = name.slice(colon + 1);
  if (!family || type === '') return undefined;
  const made = family.of(type);
  tables.set(name, made);
  return made;
}

/** The tables that a set of names needs, those they are resolved through included, in a fixed order. Throws for a name that is no table. */
export function tablesNeeded(names: Iterable<string>): LookupTable[] {
  const needed = new Map<string, LookupTable>();
  const visit = (name: string): void => {
    if (needed.has(name)) return;
    const entry = lookupTable(name);
    if (!entry) throw new Error(`no lookup table is named ${name}`);
    needed.set(name, entry);
    entry.through.forEach(visit);
  };
  [...names].sort().forEach(visit);
  return [...needed.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
