import {
  type Citation,
  type EvidenceRecord,
  isJsonObject,
  type Json,
  type JsonObject,
  type ProviderVerdict,
  type Query,
  withoutCase,
} from '../../model/index.ts';
import { resourceOf, text } from '../azure-records.ts';

/** Pages of Azure Policy as records. Pure, and total over any JSON. */

export const objectsShape = 'azure-policy/objects';
export const rowsShape = 'azure-policy/rows';
export const statesShape = 'azure-policy/states';
export const countsShape = 'azure-policy/counts';
export const subscriptionsShape = 'azure-policy/subscriptions';

/** `/providers/Microsoft.Authorization/policyDefinitions/<guid>` → `<guid>`, in lower case; '' when it names none. */
export function policyGuid(definitionId: string): string {
  return /\/policydefinitions\/([^/]+)$/.exec(definitionId.toLowerCase())?.[1] ?? '';
}

function tenantOf(query: Query): string {
  return typeof query.parameters.tenant === 'string' ? `tenants/${query.parameters.tenant}` : 'tenants/unknown';
}

function* resources(list: Json | undefined, key: string, query: Query, file: string, only: string | null): Generator<EvidenceRecord> {
  for (const [index, item] of (Array.isArray(list) ? list : []).entries()) {
    if (!isJsonObject(item)) continue;
    const resource = resourceOf(
      item,
      { file, pointer: `/${key}/${index}`, tenant: tenantOf(query) },
      { id: '', type: query.types[0] ?? '' },
    );
    if (resource !== null && (only === null || resource.account === only)) yield { record: 'resource', resource };
  }
}

/**
 * `{value: [object]}` of Resource Manager. A subscription's list also names what it inherits: only its own objects are
 * records of it, the built-in ones are records of the tenant.
 */
export function* objectRecords(page: Json, query: Query, file: string): Generator<EvidenceRecord> {
  const subscription = typeof query.parameters.subscription === 'string' ? query.parameters.subscription.toLowerCase() : null;
  yield* resources(isJsonObject(page) ? page.value : undefined, 'value', query, file, subscription);
}

/** `{data: [row]}` of Resource Graph: exemptions. */
export function* rowRecords(page: Json, query: Query, file: string): Generator<EvidenceRecord> {
  yield* resources(isJsonObject(page) ? page.data : undefined, 'data', query, file, null);
}

/** The part of a row that a policy state is told by; every value may be missing. */
export function stateOf(row: JsonObject): { guid: string; resource: string; subscription: string } {
  const properties = isJsonObject(row.properties) ? row.properties : {};
  const resource = withoutCase(text(properties.resourceId));
  const subscription = /^\/subscriptions\/([^/]+)/.exec(resource)?.[1] ?? text(row.subscriptionId).toLowerCase();
  return { guid: policyGuid(text(properties.policyDefinitionId)), resource, subscription };
}

/**
 * A component (a key in a vault) by its own id where that is one of Resource Manager, else as one type and one name below the
 * resource it is part of: services name their components as they like, by a path or an address as well.
 */
function uidOf(properties: JsonObject, resource: string): string {
  const component = text(properties.componentId);
  if (component === '') return resource;
  if (component.startsWith('/')) return withoutCase(component);
  const type = text(properties.componentType).split('/').at(-1) || 'component';
  return withoutCase(`${resource}/${type}/${component.replaceAll('/', '%2F')}`);
}

/** An assignment's name is one of a kind only in its scope: whoever may assign policies to a resource group may give any name again. */
function assignmentOf(properties: JsonObject): { readonly name: string; readonly at: string } {
  const id = text(properties.policyAssignmentId);
  const scope = /^(.+)\/providers\/microsoft\.authorization\/policyassignments\/[^/]+$/i.exec(id)?.[1];
  return {
    name: text(properties.policyAssignmentName) || id || 'unnamed assignment',
    at: scope === undefined ? '' : ` at ${withoutCase(scope)}`,
  };
}

/** A row as the verdict that it is; null where it does not say on what, or by which policy. */
export function verdictIn(row: JsonObject, citation: Citation): ProviderVerdict | null {
  const properties = isJsonObject(row.properties) ? row.properties : {};
  const { guid, resource, subscription } = stateOf(row);
  if (guid === '' || resource === '' || subscription === '') return null;
  const reference = text(properties.policyDefinitionReferenceId);
  const { name, at } = assignmentOf(properties);
  return {
    provider: 'azure',
    rule: guid,
    deployment: `${name}${reference === '' ? '' : `/${reference}`}${at}`,
    verdict: text(properties.complianceState),
    // Some states write the type with a slash in front.
    resourceType: (text(properties.componentType) || text(properties.resourceType)).toLowerCase().replace(/^\//, ''),
    uid: uidOf(properties, resource),
    scope: { provider: 'azure', account: subscription, region: '*' },
    evaluatedAt: text(properties.timestamp) || null,
    citation,
  };
}

export function* stateRecords(page: Json, _query: Query, file: string): Generator<EvidenceRecord> {
  const rows = isJsonObject(page) && Array.isArray(page.data) ? page.data : [];
  for (const [index, row] of rows.entries()) {
    const verdict = isJsonObject(row) ? verdictIn(row, { file, pointer: `/data/${index}`, encoding: 'json' }) : null;
    if (verdict !== null) yield { record: 'verdict', verdict };
  }
}

export function* noRecords(): Generator<EvidenceRecord> {
  // the ledger was written from them
}
