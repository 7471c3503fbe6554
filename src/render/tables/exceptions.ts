import type { Assessment } from '../../model/index.ts';
import { waiverMarks } from '../view-choices.ts';
import { linesCell, type Table } from './table.ts';

/** One line an exception; the results that it is attached to name it in the column `waiver` of observations.csv. */
export function exceptionsTable({ waivers }: Assessment): Table {
  return {
    columns: [
      'exception',
      'control',
      'resources',
      'state',
      'failures',
      'owner',
      'approver',
      'approved_on',
      'expires',
      'remarks',
      'justification',
    ],
    rows: waivers.map((waiver) => [
      waiver.id,
      waiver.control,
      linesCell(waiver.resources, 'results/assessment.json'),
      waiver.expired === true ? 'expired' : 'in-force',
      waiver.used ?? null,
      waiver.owner,
      waiver.approver,
      waiver.approvedOn,
      waiver.expires,
      waiverMarks(waiver).join('\n'),
      waiver.justification,
    ]),
  };
}
