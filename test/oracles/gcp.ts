import type { OracleTable } from './oracle-table.ts';

const notGiven =
  'A key that is named is not yet a key that works: neither its record nor the policies in force on it are given, so whether it is enabled and usable is unknown.';
const asksNothing =
  'Without parameters their rule accepts any key. Ours always asks for an accepted protection level, and for critical data software keys are not accepted by default.';

/**
 * The published verdicts on Google Cloud documents come from tests of Config Validator policies. Their parameters are given to ours;
 * where theirs has no parameter its default (rotation within a year) is.
 */
export const gcp: OracleTable = {
  cloud: 'gcp',
  judgedBy: {
    'gcp.bigquery.cmek': 'gcp-bigquery-table-cmek',
    'gcp.kms.rotation': 'gcp-kms-key-rotation/period',
    'gcp.kms.settings': 'gcp-kms-key-settings + gcp-kms-key-rotation/period',
    'gcp.storage.cmek': 'gcp-storage-bucket-cmek',
  },
  parameters({ parameters }) {
    const text = (name: string): string | undefined => (typeof parameters?.[name] === 'string' ? parameters[name] : undefined);
    const period = text('period') ?? text('rotation_period') ?? '8760h';
    const [level, algorithm] = [text('protection_level'), text('algorithm')];
    return {
      gcpKeyRotationMaximumDays: Number.parseInt(period, 10) / 24,
      ...(level !== undefined && { gcpKeyProtectionLevels: [level] }),
      ...(algorithm !== undefined && { gcpKeyAlgorithms: [algorithm] }),
    };
  },
  differences: {
    'gcp-232a3f073797': { ours: 'unknown', because: notGiven },
    'gcp-fa4163f75e83': { ours: 'unknown', because: notGiven },
    'gcp-7f600ce7d86b': { ours: 'fail', because: asksNothing },
    'gcp-8d9560010b57': { ours: 'fail', because: asksNothing },
    'gcp-b859d247876d': { ours: 'fail', because: asksNothing },
  },
};
