import { type EvidenceRecord, isJsonObject, type Json, type JsonObject, type Query, type Resource } from '../../model/index.ts';
import { resourceOf, text, typeOfId } from '../azure-records.ts';
import { plainRow, rowsIn } from '../azure-documents.ts';

/** Resource Graph rows and Resource Manager resources as records. Pure, and total over any JSON. */

export const rowsShape = 'azure-resource-graph/rows';
export const countsShape = 'azure-resource-graph/counts';
export const subscriptionsShape = 'azure-resource-graph/subscriptions';

/** Pages of `azure-resource-graph/rows`: `{data: [row]}`. */
export function* rowRecords(page: Json, query: Query, file: string): Generator<EvidenceRecord> {
  const rows = isJsonObject(page) && Array.isArray(page.data) ? page.data : [];
  const tenant = typeof query.parameters.tenant === 'string' ? `tenants/${query.parameters.tenant}` : 'tenants/unknown';
  for (const [index, row] of rows.entries()) {
    if (!isJsonObject(row)) continue;
    const resource = resourceOf(row, { file, pointer: `/data/${index}`, tenant }, { id: '', type: '' });
    if (resource !== null) yield { record: 'resource', resource };
  }
}

/** Counts and the list of subscriptions hold no records. */
export function* noRecords(): Generator<EvidenceRecord> {
  // the ledger was written from them
}

const azureType = /^microsoft\.[a-z0-9.]+\/[a-z0-9./]+$/i;

/** One document for `controls try`: a Resource Graph row or a Resource Manager resource, whole or in part, or a page of either. */
export function readAzureDocument(document: Json, hint: { readonly type: string; readonly id: string }): Resource[] | null {
  const rows = rowsIn(document);
  if (rows === null) return null;
  if (rows.length === 0) return azureType.test(hint.type) ? [] : null;
  const read = rows.map((row) => readRow(row, hint));
  return read.every((records) => records !== null) ? read.flat() : null;
}

function readRow(given: JsonObject, hint: { readonly type: string; readonly id: string }): Resource[] | null {
  const id = text(given.id) || text(given.Id);
  const type = text(given.type) || text(given.Type) || hint.type;
  if (!azureType.test(type) && !azureType.test(hint.type) && !/^\/+(subscriptions|providers)\//i.test(id)) return null;
  const row = plainRow(given);
  const ofId = typeOfId(text(row.id));
  if (text(row.type) === '' && ofId !== '') row.type = ofId;
  const resource = resourceOf(
    row,
    { file: '', pointer: '', tenant: `tenants/${text(row.tenantId).toLowerCase() || 'unknown'}` },
    { id: hint.id, type: hint.type },
  );
  return resource === null ? null : [resource];
}
