import type { Json, JsonObject } from '../../model/index.ts';
import type { Encryption } from './aws-keys.ts';
import { type AwsCell, foreignAccount } from './aws-model.ts';
import { random } from './random.ts';

/* Whom a store is opened to, by its ARN alone: whatever else is drawn for it stays the same. */

interface Opened {
  readonly statements: readonly JsonObject[];
  readonly troubles: readonly string[];
}

/** Statements that open a store by mistake, to everyone or to the whole of a partner's account; mostly none. */
export function opened(cell: AwsCell, arn: string, actions: readonly string[], resource?: string): Opened {
  const at = random(cell.seed, 'opened', arn).next();
  if (at >= 0.06) return { statements: [], troubles: [] };
  const everyone = at < 0.03;
  const statement: JsonObject = {
    Sid: everyone ? 'Temporary' : 'Partner',
    Effect: 'Allow',
    Principal: { AWS: everyone ? '*' : `arn:aws:iam::${foreignAccount}:root` },
    Action: [...actions],
    ...(resource === undefined ? {} : { Resource: resource }),
  };
  return { statements: [statement], troubles: [everyone ? 'open-to-everyone' : 'open-to-a-partner'] };
}

/** As AWS Config writes a policy that a store may lack. */
export function policyOrNone({ statements }: Opened): JsonObject {
  return statements.length === 0 ? {} : { Version: '2012-10-17', Statement: [...statements] };
}

/** Whom a snapshot is shared with. RDS makes no encrypted one public, and shares none under the AWS managed key. */
export function sharing(cell: AwsCell, arn: string, { kind }: Encryption): { attributes: Json; troubles: string[] } {
  const at = random(cell.seed, 'shared', arn).next();
  const values =
    kind === 'none' ? (at < 0.3 ? ['all'] : at < 0.5 ? [foreignAccount] : []) : kind === 'customer' && at < 0.04 ? [foreignAccount] : [];
  return {
    attributes: [{ attributeName: 'restore', attributeValues: values }],
    troubles: values.map((value) => (value === 'all' ? 'snapshot-public' : 'snapshot-shared')),
  };
}
