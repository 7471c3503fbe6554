import { type TableIndex, tableIndex } from '../../src/controls/lookups/table-index.ts';
import type { Home } from '../../src/controls/lookups/table.ts';
import type { JsonObject, Provider, Resource } from '../../src/model/index.ts';

type Given = Partial<Resource> & { type: string; uid: string; document: JsonObject };

const providerOf = (type: string): Provider => (type.startsWith('AWS::') ? 'aws' : type.includes('googleapis.com/') ? 'gcp' : 'azure');

/** A record with everything but type, uid and document filled in from its uid. */
export function record(given: Given): Resource {
  const provider = given.provider ?? providerOf(given.type);
  const fromUid =
    provider === 'aws'
      ? /^arn:[^:]*:[^:]*:[^:]*:(\d{12})/.exec(given.uid)?.[1]
      : provider === 'azure'
        ? /^\/subscriptions\/([^/]+)/i.exec(given.uid)?.[1]?.toLowerCase()
        : /projects\/([^/]+)/.exec(given.uid)?.[1];
  const account = given.account ?? fromUid ?? '111122223333';
  const region = provider === 'aws' ? (/^arn:[^:]*:[^:]*:([^:]+):/.exec(given.uid)?.[1] ?? 'eu-west-1') : '*';
  return {
    kind: 'resource',
    provider,
    name: given.uid,
    account,
    location: region,
    scope: { provider, account, region },
    tags: {},
    capturedAt: '2026-09-30T11:00:00Z',
    citation: { file: 'evidence/x/page-000001.json', pointer: `/${given.uid.length}`, encoding: 'json' },
    ...given,
  };
}

/** `complete`: ledger types that are whole everywhere; or a function of the home. */
export function indexOf(
  reads: Record<string, readonly string[] | '*'>,
  records: readonly Resource[],
  complete: readonly string[] | ((home: Home) => string | null),
): TableIndex {
  const gap =
    typeof complete === 'function'
      ? complete
      : (home: Home): string | null => (complete.includes(home.type) ? null : `${home.type} of ${home.account} is not whole`);
  const index = tableIndex(new Map(Object.entries(reads)), (_provider, home) => gap(home));
  for (const one of records) index.add(one);
  return index;
}
