import { isJsonObject, type Query } from '../model/index.ts';
import type { CountMap } from './collector.ts';

/** What `summarize count() by subscriptionId, …` of Resource Graph says. Pure, and total over any JSON. */
export const graphCounts: CountMap = {
  *told(page, query) {
    const rows = isJsonObject(page) && Array.isArray(page.data) ? page.data : [];
    const above = typeof query.parameters.tenant === 'string' ? `tenants/${query.parameters.tenant.toLowerCase()}` : 'tenants/unknown';
    for (const row of rows) {
      if (!isJsonObject(row) || typeof row.count_ !== 'number') continue;
      const account = typeof row.subscriptionId === 'string' && row.subscriptionId !== '' ? row.subscriptionId.toLowerCase() : above;
      const policy = /\/policydefinitions\/([^/]+)$/i.exec(String(row.policyDefinitionId))?.[1];
      const type = policy === undefined ? row.type : `verdict:${policy}`;
      if (typeof type !== 'string') continue;
      yield { scope: { provider: 'azure', account, region: '*' }, type: type.toLowerCase(), series: seriesOf(query), count: row.count_ };
    }
  },
  asks(query, { account }, type) {
    const text = (query.text ?? '').toLowerCase();
    const plain = type.replace(/^verdict:/, '').toLowerCase();
    if (!text.includes(type.startsWith('verdict:') ? `/policydefinitions/${plain}'` : `'${plain}'`)) return false;
    if (account.startsWith('tenants/')) return !text.includes("id startswith '/subscriptions/'");
    const { subscriptions, managementGroups } = query.parameters;
    const within = Array.isArray(subscriptions)
      ? subscriptions.some((one) => String(one).toLowerCase() === account)
      : managementGroups !== undefined;
    return within && !text.includes("id !startswith '/subscriptions/'");
  },
};

/** States of policies lie apart from those of components. */
function seriesOf(query: Query): string {
  return /type =~ '([^']+)'/.exec(query.text ?? '')?.[1] ?? '';
}
