import { awsHeld, type AwsOperations } from './aws-held.ts';
import { inventoryOperations } from './aws-operations-inventory.ts';
import { recorderOperations } from './aws-operations-recorders.ts';
import { ruleOperations } from './aws-operations-rules.ts';
import type { AwsEstate } from './estate/aws-model.ts';

/** What AWS Config answers, by operation; throws AwsError and InvalidExpression for what it refuses. */
export function awsOperations(context: { estate: AwsEstate; seed: number; asOf: number }): AwsOperations {
  const held = awsHeld(context);
  return { ...inventoryOperations(held), ...recorderOperations(held), ...ruleOperations(held) };
}
