import type { OracleTable } from './oracle-table.ts';

const policyAlone =
  'Keys inside a vault are not in Resource Graph, so only a state of Azure Policy decides about their rotation. Theirs reads keys that were exported beside the vault; ours takes nothing but the verdict, and none is given.';

/** The published verdicts on Azure documents come from tests of rules over exported resources, which carry child resources that Resource Graph never returns. */
export const azure: OracleTable = {
  cloud: 'azure',
  judgedBy: {
    'azure.keyvault.network': 'azure-keyvault-network-closed/internet',
    'azure.keyvault.recovery': 'azure-keyvault-protected',
    'azure.keyvault.rotation': 'azure-keyvault-key-rotation',
  },
  differences: {
    'azure-f711a1e804d6': { ours: 'unknown', because: policyAlone },
    'azure-27ce11e2902a': { ours: 'unknown', because: policyAlone },
    'azure-a3290a91c619': { ours: 'unknown', because: policyAlone },
  },
};
