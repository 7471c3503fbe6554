import type { JsonObject } from '../model/index.ts';
import { type AwsCall, limitOf, page, seconds } from './aws-call.ts';
import { aggregatorName, type AwsHeld, type AwsOperations } from './aws-held.ts';
import { day, hour } from './estate/population.ts';
import { covers } from './faults.ts';

/** Who records: recorders, the aggregator and its sources. */
export function recorderOperations(held: AwsHeld): AwsOperations {
  const { estate, asOf, regions, sourceFailed, requireAggregator, sources } = held;

  const recorderArn = (call: AwsCall): string => `arn:aws:config:${call.region}:${call.account}:configuration-recorder/default`;
  const recorder = (call: AwsCall): JsonObject => {
    const scope = `${call.account}.${call.region}`;
    const excluded = call.faults
      .filter((fault) => fault.kind === 'type-not-recorded' && covers([fault], 'type-not-recorded', { scope }))
      .map((fault) => fault.match?.type ?? 'AWS::S3::Bucket');
    const global = call.region === estate.home.region;
    return {
      arn: recorderArn(call),
      name: 'default',
      roleARN: `arn:aws:iam::${call.account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig`,
      recordingGroup:
        excluded.length > 0
          ? {
              allSupported: false,
              includeGlobalResourceTypes: false,
              resourceTypes: [],
              exclusionByResourceTypes: { resourceTypes: excluded },
              recordingStrategy: { useOnly: 'EXCLUSION_BY_RESOURCE_TYPES' },
            }
          : {
              allSupported: true,
              includeGlobalResourceTypes: global,
              resourceTypes: [],
              exclusionByResourceTypes: { resourceTypes: [] },
              recordingStrategy: { useOnly: 'ALL_SUPPORTED_RESOURCE_TYPES' },
            },
      recordingMode: {
        recordingFrequency: covers(call.faults, 'daily-stale', { scope }) ? 'DAILY' : 'CONTINUOUS',
        recordingModeOverrides: [],
      },
      recordingScope: 'PAID',
    };
  };

  return {
    DescribeConfigurationRecorders: (call) => ({ ConfigurationRecorders: regions.has(call.region) ? [recorder(call)] : [] }),
    DescribeConfigurationRecorderStatus: (call) => {
      const stopped = covers(call.faults, 'recorder-stopped', { scope: `${call.account}.${call.region}` });
      return {
        ConfigurationRecordersStatus: regions.has(call.region)
          ? [
              {
                arn: recorderArn(call),
                name: 'default',
                lastStartTime: seconds(asOf - 400 * day),
                ...(stopped ? { lastStopTime: seconds(asOf - 9 * day) } : {}),
                recording: !stopped,
                lastStatus: 'SUCCESS',
                lastStatusChangeTime: seconds(asOf - (stopped ? 9 * day : 0.2 * hour)),
              },
            ]
          : [],
      };
    },
    DescribeConfigurationAggregators: (call) => ({
      ConfigurationAggregators:
        call.account === estate.home.account && call.region === estate.home.region
          ? [
              {
                ConfigurationAggregatorName: aggregatorName,
                ConfigurationAggregatorArn: `arn:aws:config:${call.region}:${call.account}:config-aggregator/config-aggregator-nwexhibit`,
                OrganizationAggregationSource: { RoleArn: `arn:aws:iam::${call.account}:role/ConfigAggregator`, AllAwsRegions: true },
                CreationTime: seconds(asOf - 500 * day),
                LastUpdatedTime: seconds(asOf - 30 * day),
              },
            ]
          : [],
    }),
    DescribeConfigurationAggregatorSourcesStatus: (call) => {
      requireAggregator(call);
      const all = sources();
      const cut = page(call, all.length, limitOf(call, 'Limit', 100, 100), (i) => {
        const { account, region } = all[i] ?? { account: '', region: '' };
        const failed = sourceFailed(call, account, region);
        return {
          SourceId: account,
          SourceType: 'ACCOUNT',
          AwsRegion: region,
          LastUpdateStatus: failed ? 'FAILED' : 'SUCCEEDED',
          LastUpdateTime: seconds(asOf - (failed ? 6 * day : 0.5 * hour)),
          ...(failed ? { LastErrorCode: 'RESOURCE_FORBIDDEN', LastErrorMessage: 'The service-linked role cannot read the source.' } : {}),
        };
      });
      return { AggregatedSourceStatusList: [...cut.rows], ...(cut.token === undefined ? {} : { NextToken: cut.token }) };
    },
  };
}
