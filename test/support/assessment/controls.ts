import type { Control } from '../../../src/model/index.ts';
import { SERVICES } from './estate.ts';

const ASPECTS = [
  ['cmk', 'hold critical data under a customer managed key'],
  ['key-enabled', 'use a key that is enabled and not awaiting deletion'],
  ['key-rotation', 'use a key that is rotated within the period required'],
  ['key-owner', 'use a key of an account that the entity controls'],
  ['key-admins', 'use a key whose administrators cannot also use it'],
  ['key-policy', 'use a key that is not open to everyone'],
  ['in-transit', 'refuse connections without encryption in transit'],
  ['wide-access', 'do not let wide groups read critical data'],
] as const;

export interface MadeUpControl {
  readonly definition: Control;
  /** What it judges, and the collector that finds it. */
  readonly type: string;
  readonly collector: string;
}

/** The control at a place of the catalogue: each aspect of each service in turn, then all of them again. */
export function madeUpControl(index: number): MadeUpControl {
  const service = SERVICES[index % SERVICES.length] ?? SERVICES[0]!;
  const [aspect, verb] = ASPECTS[Math.floor(index / SERVICES.length) % ASPECTS.length] ?? ASPECTS[0];
  const short = service.type
    .toLowerCase()
    .replace(/^aws::|^microsoft\.|\.googleapis\.com/g, '')
    .replace(/[^a-z0-9]+/g, '-');
  const round = Math.floor(index / (SERVICES.length * ASPECTS.length));
  const manual = aspect === 'key-admins' && service.provider === 'gcp';
  const definition: Control = {
    id: `${service.provider}-${short}-${aspect}${round === 0 ? '' : `-${round + 1}`}`,
    title: `${service.noun} ${verb}`,
    provider: service.provider,
    section: service.section,
    level: index % 3 === 0 ? 1 : 2,
    assessment: manual ? 'manual' : 'automated',
    profileApplicability: ['Level 2: critical data encrypted with customer managed keys'],
    prose: {
      description: `${service.noun} can be encrypted with a key that the provider owns, one that the provider manages in the account, or one that the customer manages.\n\nThis control asks for the last, and follows the reference from the resource to the key itself, in \`configuration.kmsKeyId\`.`,
      rationale:
        "A key under the customer's control can be disabled, rotated and audited by the customer, and in some services decides who can read the data at all.\n\nA provider's key protects against the loss of media, and against little else.",
      impact: {
        pros: 'Access to the data can be withdrawn as a whole, by one action, and every use of the key is logged.',
        cons: 'Each key costs about 1 USD a month, and requests are billed. A key that is deleted takes the data with it: deletion has to be guarded.',
      },
      defaultValue: 'New resources are encrypted with a key that the provider owns, unless a default has been set.',
      prerequisites:
        '- A key in the same region\n- A key policy that lets the service use it\n- The permission `kms:CreateGrant` for whoever creates the resource',
      audit: {
        console:
          '1. Open the service and choose the resource.\n2. Under "Encryption", read the key.\n3. Open the key and check that its manager is the customer and its state is enabled.',
        cli: 'aws s3api get-bucket-encryption --bucket "$BUCKET"\naws kms describe-key --key-id "$KEY" --query KeyMetadata.KeyManager',
      },
      remediation: {
        console:
          '1. Create a key with rotation on.\n2. Edit the encryption of the resource and choose that key.\n3. Copy what was written before under the new key.',
        cli: 'aws kms create-key --description "critical data"\naws kms enable-key-rotation --key-id "$KEY"\naws s3api put-bucket-encryption --bucket "$BUCKET" --server-side-encryption-configuration file://cmk.json',
      },
      backOut: 'Set the previous encryption again. Keep the key for as long as anything written under it exists.',
      references: [
        'https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html',
        'https://learn.microsoft.com/azure/storage/common/customer-managed-keys-overview',
        'javascript:alert(1)',
      ],
    },
    mappings: { cis: ['AWS Foundations 7.0.0 2.1.1'], nist80053: ['SC-12', 'SC-28(1)'], iso27001: ['A.8.24'] },
    checks: [{ id: aspect, kind: manual ? 'manual' : 'condition', on: service.type, title: `${service.noun} ${verb}` }],
    source: `controls/${service.provider}/${short}.yaml:${12 + index}`,
  };
  return { definition, type: service.type, collector: service.collector };
}
