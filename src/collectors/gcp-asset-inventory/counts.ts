import { isWithheld } from '../../evidence/withheld.ts';
import { isJsonObject, type Query } from '../../model/index.ts';
import type { CountMap } from '../collector.ts';
import { searchFacts } from './facts.ts';
import { searchShape } from './map.ts';
import { type Content, ledgerType } from './queries.ts';

/** What the searches that count say: each result is one. Pure, and total over any JSON. */

const contents: Readonly<Record<string, Content>> = { SearchAllResources: 'RESOURCE', SearchAllIamPolicies: 'IAM_POLICY' };

const assetTypes = (query: Query): readonly unknown[] => (Array.isArray(query.parameters.assetTypes) ? query.parameters.assetTypes : []);

const searched: CountMap = {
  *told(page, query, file) {
    const content = contents[query.operation];
    if (content === undefined || !isJsonObject(page)) return;
    const { records } = searchFacts(page, content, String(query.parameters.createdUntil));
    for (const [index, { id, bucket }] of records.entries()) {
      const [account = '', type = ''] = bucket.split(' ', 2);
      const own = isWithheld(id) ? `${id} ${file} ${index}` : id;
      yield { scope: { provider: 'gcp', account, region: '*' }, type, series: '', count: 1, id: own };
    }
  },
  asks(query, _scope, type, beside) {
    const content = contents[query.operation];
    const asked = assetTypes(query).map((one) => (content === undefined ? '' : ledgerType(content, String(one))));
    return asked.includes(type) && beside.some((one) => one.collector === query.collector && one.scope === query.scope);
  },
};

export const counts: Readonly<Record<string, CountMap>> = { [searchShape]: searched };
