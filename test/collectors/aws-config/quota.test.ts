import { expect, test } from 'vitest';
import { pacers } from '../../../src/collectors/rate.ts';
import { collectAws, needsOf, simulateAws } from '../../support/aws.ts';
import { emptyRunDirectory } from '../../support/simulated-aws.ts';

const bucket = 'AWS::S3::Bucket';
const rule = 'ENCRYPTED_VOLUMES';

const directory = emptyRunDirectory();

// Tried again, because the simulated server shares this process: when the machine is busy, requests bunch up on their way to it.
test('the quota is kept to the letter, and makes calls wait no more than a tenth above its arithmetic floor', { retry: 2 }, async () => {
  const strict = await simulateAws(2500, 'published');
  try {
    const ledger = await collectAws(
      strict,
      directory.path,
      needsOf(
        [bucket, 'AWS::EC2::Volume', 'AWS::RDS::DBInstance', 'AWS::SQS::Queue', 'AWS::DynamoDB::Table', 'AWS::KMS::Key', 'AWS::KMS::Alias'],
        [rule],
      ),
      { pacers: pacers() },
    );
    expect(strict.refused()).toBe(0);
    const [use] = ledger.quotas;
    expect(use?.calls).toBeGreaterThan(25);
    expect(use?.floorMs).toBeGreaterThanOrEqual(2000);
    // What the pacer adds, whatever else the machine has to do; the bench measures the time that goes by.
    expect(use?.waitedMs).toBeGreaterThan(0);
    expect((use?.waitedMs ?? Infinity) / (use?.floorMs ?? 1)).toBeLessThanOrEqual(1.1);
  } finally {
    await strict.close();
  }
});
