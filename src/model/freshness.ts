/**
 * Parameters that bound the age of evidence, in hours before `asOf`. Inventories state when a resource last changed, not when
 * it was last looked at, so they have no bound by default: a recorder that stopped is the ledger's to tell (`stale`).
 * Packs are verified against these defaults: one that changes has to be told from its former value by the pack's format.
 */
export const freshnessParameters = {
  awsConfigMaxAgeHours: {
    default: null,
    description: 'Oldest configuration item of AWS Config that may pass, in hours; unset: any, while the recorder runs.',
  },
  azureResourceGraphMaxAgeHours: { default: null, description: 'Oldest Resource Graph row that may pass, in hours; unset: any.' },
  gcpAssetInventoryMaxAgeHours: { default: null, description: 'Oldest asset state that may pass, in hours; unset: any.' },
  awsConfigRulesMaxAgeHours: {
    default: null,
    description: 'Oldest AWS Config rule result that may pass, in hours; unset: any, while the rule is evaluated.',
  },
  azurePolicyMaxAgeHours: {
    default: 72,
    description: 'Oldest Azure Policy state that may pass, in hours. Azure evaluates every 24 hours.',
  },
} as const;
