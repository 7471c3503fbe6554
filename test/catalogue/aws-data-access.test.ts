import { expect, test } from 'vitest';
import { isAwsStore } from '../../src/controls/access/access-aws-stores.ts';
import type { Resource } from '../../src/model/index.ts';
import { buildAws } from '../../src/simulator/estate/aws.ts';
import { accessOver } from '../support/access.ts';
import { record } from '../support/records.ts';

/** Every store of the simulated estate that is opened to many is found, by what opens it, and no other is. */
const estate = buildAws({ seed: 7, resources: 8000, asOf: Date.parse('2026-06-30T12:00:00Z'), accounts: 5, regions: 2 });
const items = estate.populations.flatMap((population) =>
  Array.from({ length: population.count }, (_, index) => population.record(index)).map((item) => ({
    troubles: item.troubles,
    resource: record({
      type: item.resourceType,
      uid: item.arn,
      name: item.resourceName ?? item.resourceId,
      account: item.accountId,
      document: {
        accountId: item.accountId,
        awsRegion: item.awsRegion,
        arn: item.arn,
        configuration: item.configuration,
        supplementaryConfiguration: item.supplementaryConfiguration,
      },
    }),
  })),
);
const types = [...new Set(items.map(({ resource }) => resource.type).filter((type) => isAwsStore(type)))];
const access = accessOver(
  'aws',
  types,
  items.map(({ resource }) => resource),
);

const opening = ['open-to-everyone', 'open-to-a-partner', 'snapshot-public', 'public-read'];

/** Ways in which many read a store, but for those that its key opens. */
function waysBesideTheKey(store: Resource): string[] {
  const found = access.readers(store);
  if (found.outcome === 'unknown') return [];
  return found.principals
    .filter((reader) => reader['wide'] === true)
    .flatMap(({ via }) => (/^key policy/.test(String(via)) ? [] : [String(via)]));
}

test('stores that are opened to many are found, and no others', () => {
  const seen = new Map<string, number>();
  const wrong: string[] = [];
  for (const { resource, troubles } of items) {
    if (!isAwsStore(resource.type)) continue;
    // The key keeps out those who get at a bucket, and those whom an encrypted snapshot is shared with.
    const provider = troubles.some((trouble) => /^(s3-managed-key|aws-managed-key|unencrypted)$/.test(trouble));
    const planted = troubles.filter((trouble) =>
      trouble === 'public-read' || trouble === 'snapshot-shared' ? provider : opening.includes(trouble),
    );
    const found = waysBesideTheKey(resource);
    if (planted.length > 0 !== found.length > 0) wrong.push(`${resource.uid} (${troubles.join(', ')}): ${found.join(', ')}`);
    for (const trouble of planted) seen.set(`${resource.type} ${trouble}`, (seen.get(`${resource.type} ${trouble}`) ?? 0) + 1);
  }
  expect(wrong).toEqual([]);
  for (const [type, trouble] of [
    ['AWS::SNS::Topic', 'open-to-everyone'],
    ['AWS::ECR::Repository', 'open-to-everyone'],
    ['AWS::OpenSearch::Domain', 'open-to-a-partner'],
    ['AWS::EFS::FileSystem', 'open-to-a-partner'],
    ['AWS::RDS::DBSnapshot', 'snapshot-public'],
    ['AWS::RDS::DBClusterSnapshot', 'snapshot-shared'],
  ])
    expect([...seen.keys()]).toContain(`${type} ${trouble}`);
});
