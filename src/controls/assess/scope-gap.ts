import { type Reason, type Scope, scopeKey, type Subject } from '../../model/index.ts';
import { type CheckNames, observationId, observationLine } from './observations.ts';
import { placeName, type Population } from './population.ts';
import { citationJson } from './subject.ts';
import type { CheckOutcome } from '../types.ts';

/** Citations of the ledger's own lines on a scope and type. */
export function ledgerCitations(population: Population, scope: Scope, type: string): string[] {
  return population
    .ledgerPointers(scope, type)
    .map((pointer) => citationJson({ file: 'evidence/ledger.json', pointer, encoding: 'json' }, 'ledger', scopeKey(scope)));
}

/** The observation of a scope whose evidence is not whole: never a silent pass. */
export function gapLine(names: CheckNames, population: Population, scope: Scope, type: string, reasons: readonly Reason[]): string {
  const subject: Subject = {
    kind: 'scope',
    provider: scope.provider,
    type,
    uid: scopeKey(scope),
    name: population.nameOf(scope),
    account: scope.account,
    location: scope.region,
    scope,
    capturedAt: null,
  };
  const cited = [
    ...ledgerCitations(population, scope, type),
    ...reasons.flatMap((reason) => (reason.citation ? [citationJson(reason.citation, reason.code, scopeKey(scope))] : [])),
  ];
  const leaves: CheckOutcome['leaves'] = reasons.map((reason) => ({
    id: 'evidence',
    path: 'ledger.status',
    operator: 'equals',
    expected: 'complete',
    observed: reason.code,
    outcome: 'unknown',
    because: reason.message,
    source: 0,
  }));
  return observationLine({
    id: observationId(names.control, names.check, subject),
    head: names.head,
    subjectJson: JSON.stringify(subject),
    status: 'unknown',
    reason: `The evidence of ${type} in ${placeName(scope)} is not whole: ${reasons.map((reason) => reason.message).join('; ')}.`,
    leaves,
    citationsJson: `[${cited.join(',')}]`,
    method: 'TEST',
  });
}
