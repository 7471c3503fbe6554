import {
  ConfigServiceClient,
  PutConfigRuleCommand,
  PutConfigurationRecorderCommand,
  PutDeliveryChannelCommand,
  StartConfigurationRecorderCommand,
} from '@aws-sdk/client-config-service';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collectAws, entry, hurried, needsOf, recordsOf, type SimulatedAws, temporaryDirectory } from '../../support/aws.ts';

/** An AWS that somebody else wrote: what it implements must be read, what it lacks must come out as named gaps. */
const present = spawnSync('python3', ['-c', 'import moto.server'], { stdio: 'ignore' }).status === 0;

describe.skipIf(!present)('against moto', () => {
  let server: ChildProcess;
  let origin = '';
  const account = '123456789012';
  const region = 'eu-west-1';

  beforeAll(async () => {
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    origin = `http://127.0.0.1:${port}`;
    server = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
    for (let tries = 0; ; tries += 1) {
      const up = await fetch(`${origin}/moto-api/data.json`).then(
        (answer) => answer.ok,
        () => false,
      );
      if (up) break;
      if (tries > 300) throw new Error('moto did not start');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    process.env['AWS_ACCESS_KEY_ID'] = 'AKIAIOSFODNN7EXAMPLE';
    process.env['AWS_SECRET_ACCESS_KEY'] = 'secret';
    const client = new ConfigServiceClient({ region, endpoint: origin });
    await client.send(
      new PutConfigurationRecorderCommand({
        ConfigurationRecorder: {
          name: 'default',
          roleARN: `arn:aws:iam::${account}:role/config`,
          recordingGroup: { allSupported: false, includeGlobalResourceTypes: false, resourceTypes: ['AWS::S3::Bucket'] },
        },
      }),
    );
    await client.send(new PutDeliveryChannelCommand({ DeliveryChannel: { name: 'default', s3BucketName: 'config' } }));
    await client.send(new StartConfigurationRecorderCommand({ ConfigurationRecorderName: 'default' }));
    await client.send(
      new PutConfigRuleCommand({
        ConfigRule: {
          ConfigRuleName: 'encrypted',
          Source: { Owner: 'AWS', SourceIdentifier: 'ENCRYPTED_VOLUMES' },
          Scope: { ComplianceResourceTypes: ['AWS::EC2::Volume'] },
        },
      }),
    );
    client.destroy();
  }, 120_000);
  afterAll(() => {
    server.kill('SIGKILL');
  });

  test('identity and recorder are read; what is not implemented is named, and nothing is complete without proof', async () => {
    const directory = temporaryDirectory();
    try {
      const aws = { origin, member: account, region } as SimulatedAws;
      const ledger = await collectAws(
        aws,
        directory.path,
        needsOf(['AWS::S3::Bucket', 'AWS::KMS::Key'], ['ENCRYPTED_VOLUMES', 'IAM_PASSWORD_POLICY']),
        {
          aws: [{ accounts: [account], regions: [region] }],
          patience: { ...hurried, requestTimeoutMs: 10_000, callDeadlineMs: 60_000 },
        },
      );
      expect(ledger.scopes).toMatchObject([{ account, region, identity: expect.stringContaining(account) as string }]);
      expect(ledger.scopes[0]?.status).not.toBe('complete');

      const buckets = entry(ledger, 'AWS::S3::Bucket');
      expect(buckets.status).not.toBe('complete');
      expect(buckets.reasons.map((reason) => reason.code)).toEqual(expect.arrayContaining(['count-missing', 'server-error']));
      expect(buckets.reasons.find((reason) => reason.code === 'server-error')?.message).toContain('GetDiscoveredResourceCounts');

      // The recorder moto holds does not record keys: read from its answer, not assumed.
      expect(entry(ledger, 'AWS::KMS::Key').reasons.map((reason) => reason.code)).toContain('type-not-recorded');
      expect(buckets.reasons.map((reason) => reason.code)).not.toContain('type-not-recorded');

      // The rule is deployed, but nothing says how it was evaluated; the other one is not deployed at all.
      const deployed = entry(ledger, 'verdict:ENCRYPTED_VOLUMES');
      expect(deployed.status).not.toBe('complete');
      expect(deployed.reasons.length).toBeGreaterThan(0);
      expect(entry(ledger, 'verdict:IAM_PASSWORD_POLICY')).toMatchObject({ status: 'not-recorded' });
      for (const one of ledger.entries) expect(one.status === 'complete' || one.reasons.length > 0).toBe(true);
      expect(await recordsOf(directory.path)).toEqual(new Map());
    } finally {
      directory.remove();
    }
  });
});
