import { isJsonObject, type Json, type JsonObject, type Reason } from '../../model/index.ts';
import { malformedEntries, type PageFacts, type PageRecord } from '../paging.ts';
import { grants, nearestAncestor } from './map.ts';
import { type Content, ledgerType } from './queries.ts';

/** What pages of both APIs say of completeness. Buckets are `<nearest ancestor> <ledger type>`. */

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

export function bucketOf(ancestor: string, type: string): string {
  return `${ancestor} ${type}`;
}

/** Whether the asset carries what was asked for; an asset whose policy grants nothing is none in that series. */
function carries(asset: JsonObject, content: Content): boolean {
  if (content === 'RESOURCE') return isJsonObject(asset.resource);
  return content === 'IAM_POLICY' ? grants(asset.iamPolicy) : Array.isArray(asset.orgPolicy) && asset.orgPolicy.length > 0;
}

export function assetFacts(json: Json, content: Content, readTime: string): PageFacts {
  const page = isJsonObject(json) ? json : {};
  const assets = Array.isArray(page.assets) ? page.assets : [];
  const records: PageRecord[] = [];
  const malformed: number[] = [];
  const bare: string[] = [];
  for (const [index, asset] of assets.entries()) {
    const name = isJsonObject(asset) ? text(asset.name) : '';
    const type = isJsonObject(asset) ? text(asset.assetType) : '';
    const ancestor = isJsonObject(asset) ? nearestAncestor(asset) : '';
    if (!isJsonObject(asset) || name === '' || type === '' || ancestor === '') {
      malformed.push(index);
      continue;
    }
    if (!carries(asset, content)) {
      if (content === 'RESOURCE') bare.push(name);
      continue;
    }
    records.push({
      id: `${type} ${name}`,
      bucket: bucketOf(ancestor, ledgerType(content, type)),
      capturedAt: text(asset.updateTime) || null,
    });
  }
  const gaps = malformedEntries(malformed, 'an asset with a name, a type and ancestors');
  const [first] = bare;
  if (first !== undefined) {
    const others = bare.length === 1 ? '' : ` and ${bare.length - 1} more on its page`;
    gaps.push({ code: 'malformed-record', message: `${first}${others} came without its resource` });
  }
  const answered = text(page.readTime);
  const contradiction: Reason | null =
    answered !== '' && Date.parse(answered) !== Date.parse(readTime)
      ? { code: 'read-time-changed', message: `asked to read at ${readTime}, the service read at ${answered}` }
      : null;
  const token = text(page.nextPageToken);
  return { records, items: assets.length, nextToken: token === '' ? null : token, total: null, gaps, contradiction };
}

/** The nearest ancestor by a search result, which names its project, folders and organisation apart. */
function ancestorOfResult(result: JsonObject, name: string): string {
  const own = /^\/\/cloudresourcemanager\.googleapis\.com\/((?:folders|organizations)\/\d+)$/.exec(name)?.[1];
  if (own !== undefined) return own;
  const project = text(result.project);
  if (project !== '') return project;
  const folders = Array.isArray(result.folders) ? result.folders : [];
  return text(folders[0]) || text(result.organization);
}

/**
 * Results of SearchAllResources or SearchAllIamPolicies. What was made after the instant that the listing reads at is no
 * part of its population.
 */
export function searchFacts(json: Json, content: Content, readTime: string): PageFacts {
  const page = isJsonObject(json) ? json : {};
  const results = Array.isArray(page.results) ? page.results : [];
  const records: PageRecord[] = [];
  const malformed: number[] = [];
  for (const [index, held] of results.entries()) {
    const result = isJsonObject(held) ? held : {};
    const name = text(result.name) || text(result.resource);
    const type = text(result.assetType);
    const ancestor = ancestorOfResult(result, name);
    if (name === '' || type === '' || ancestor === '') {
      malformed.push(index);
      continue;
    }
    if (Date.parse(text(result.createTime)) > Date.parse(readTime)) continue;
    if (content === 'IAM_POLICY' && !grants(result.policy)) continue;
    records.push({ id: `${type} ${name}`, bucket: bucketOf(ancestor, ledgerType(content, type)), capturedAt: null });
  }
  const gaps = malformedEntries(malformed, 'a search result with a name, a type and a place');
  const token = text(page.nextPageToken);
  return { records, items: results.length, nextToken: token === '' ? null : token, total: null, gaps, contradiction: null };
}
