import type { Provider, ProviderVerdict } from '../../model/index.ts';
import type { CheckOutcome } from '../types.ts';

type VerdictStatus = 'pass' | 'fail' | 'unknown' | 'notapplicable';

/** What a native verdict counts as. Whatever is not listed is unknown: a word the provider adds tomorrow passes nothing. */
const awsVerdicts: Readonly<Record<string, { status: VerdictStatus; text: string }>> = {
  COMPLIANT: { status: 'pass', text: 'AWS Config evaluated it as compliant' },
  NON_COMPLIANT: { status: 'fail', text: 'AWS Config evaluated it as non-compliant' },
  NOT_APPLICABLE: { status: 'notapplicable', text: 'AWS Config evaluated the rule as not applicable to it' },
  INSUFFICIENT_DATA: { status: 'unknown', text: 'AWS Config had insufficient data to evaluate it' },
};

const azureVerdicts: Readonly<Record<string, { status: VerdictStatus; text: string }>> = {
  compliant: { status: 'pass', text: 'Azure Policy evaluated it as compliant' },
  noncompliant: { status: 'fail', text: 'Azure Policy evaluated it as non-compliant' },
  exempt: { status: 'unknown', text: 'an Azure Policy exemption keeps it from being evaluated' },
  conflicting: { status: 'unknown', text: 'Azure Policy found conflicting assignments' },
  conflict: { status: 'unknown', text: 'Azure Policy found conflicting assignments' },
  notstarted: { status: 'unknown', text: 'Azure Policy has not evaluated it yet' },
  notregistered: { status: 'unknown', text: 'the resource provider of Azure Policy is not registered there' },
  unknown: { status: 'unknown', text: 'Azure Policy reports its state as unknown' },
  error: { status: 'unknown', text: 'Azure Policy could not evaluate it' },
  protected: { status: 'unknown', text: 'Azure Policy reports it as protected, which says nothing of compliance' },
};

/** Judges one native verdict. Total: an unlisted word is unknown. */
export function judgeVerdict(verdict: Pick<ProviderVerdict, 'provider' | 'verdict' | 'rule' | 'deployment'>): CheckOutcome {
  const known =
    verdict.provider === 'aws'
      ? Object.hasOwn(awsVerdicts, verdict.verdict)
        ? awsVerdicts[verdict.verdict]
        : undefined
      : verdict.provider === 'azure'
        ? Object.hasOwn(azureVerdicts, verdict.verdict.toLowerCase())
          ? azureVerdicts[verdict.verdict.toLowerCase()]
          : undefined
        : undefined;
  const status = known?.status ?? 'unknown';
  const text = known?.text ?? `the provider's word \`${verdict.verdict}\` is not one that can be judged`;
  const outcome = status === 'pass' ? 'true' : status === 'fail' ? 'false' : 'unknown';
  return {
    status,
    reason: `${text} (${verdict.deployment}).`,
    leaves: [
      {
        id: 'verdict',
        path: 'verdict',
        operator: 'equals',
        expected: verdict.provider === 'aws' ? 'COMPLIANT' : 'Compliant',
        observed: verdict.verdict,
        outcome,
        source: 0,
        ...(status === 'unknown' ? { because: 'not-evaluated' } : {}),
      },
    ],
    joined: [],
  };
}

/** Managed rules about what exists once per account: deployed in one region they judge all of it. Every other rule judges its own region only. */
const accountRules = new Set([
  'ROOT_ACCOUNT_MFA_ENABLED',
  'ROOT_ACCOUNT_HARDWARE_MFA_ENABLED',
  'IAM_ROOT_ACCESS_KEY_CHECK',
  'IAM_PASSWORD_POLICY',
  'IAM_USER_MFA_ENABLED',
  'MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS',
  'ACCESS_KEYS_ROTATED',
  'IAM_USER_UNUSED_CREDENTIALS_CHECK',
  'IAM_USER_NO_POLICIES_CHECK',
  'IAM_USER_GROUP_MEMBERSHIP_CHECK',
  'IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS',
  'IAM_POLICY_NO_STATEMENTS_WITH_FULL_ACCESS',
  'IAM_GROUP_HAS_USERS_CHECK',
  'S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS',
  'S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC',
]);

/** Whether the rule judges the whole account, whichever region it runs in. */
export function isAccountWide(provider: Provider, rule: string): boolean {
  return provider === 'aws' && accountRules.has(rule);
}

/** The subject of rules about an account as such: there is exactly one in an account and region. */
export const accountSubject = 'AWS::::Account';
