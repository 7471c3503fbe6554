import { aws } from './aws.ts';
import { azure } from './azure.ts';
import { gcp } from './gcp.ts';
import type { OracleTable } from './oracle-table.ts';

export const tables: readonly OracleTable[] = [aws, azure, gcp];
