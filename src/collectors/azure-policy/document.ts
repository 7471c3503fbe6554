import { isJsonObject, type Json, type JsonObject, type ProviderVerdict } from '../../model/index.ts';
import { text } from '../azure-records.ts';
import { plainRow, rowsIn } from '../azure-documents.ts';
import { verdictIn } from './map.ts';

/**
 * States of Azure Policy in one document, for `controls try`: rows of Resource Graph, the states that Policy Insights lists, and
 * its events about them. Null where the document holds none. Pure, and total over any JSON.
 */
export function readStates(document: Json): ProviderVerdict[] | null {
  const rows = eventRows(document) ?? rowsIn(document);
  if (rows === null || rows.length === 0 || !rows.every(namesPolicy)) return null;
  return rows.flatMap((row) => stateIn(row) ?? []);
}

/** Whether it may be a state at all: asked of every document, so it costs little. */
function namesPolicy(row: JsonObject): boolean {
  const named = (object: JsonObject): boolean => Object.keys(object).some((key) => /^policy_?definition_?id$/i.test(key));
  const properties = row.properties ?? row.Properties;
  return (
    named(row) ||
    (isJsonObject(properties) && named(properties)) ||
    (typeof properties === 'string' && /policy_?definition_?id/i.test(properties))
  );
}

/** A state that ended tells nothing any more; the others say what they are about beside their data. */
function eventRows(document: Json): JsonObject[] | null {
  if (!isJsonObject(document) || !isJsonObject(document.data)) return null;
  const kind = text(document.eventType) || text(document.type);
  if (!/^Microsoft\.PolicyInsights\.PolicyState(Created|Changed)$/i.test(kind)) return null;
  return [{ ...document.data, resourceId: document.subject ?? null }];
}

/** Only of built-in definitions: an organisation may give its own the same name. */
function stateIn(given: JsonObject): ProviderVerdict | null {
  const row = plainRow(given);
  const properties = isJsonObject(row.properties) ? row.properties : row;
  if (!/^\/providers\/microsoft\.authorization\/policydefinitions\//i.test(text(properties.policyDefinitionId))) return null;
  const subscriptionId = text(row.subscriptionId) || text(properties.subscriptionId);
  return verdictIn({ subscriptionId, properties }, { file: '', pointer: '', encoding: 'json' });
}
