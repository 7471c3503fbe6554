import type { At, CheckCompiler, Evaluation, Operand, Scope } from '../scope.ts';
import { isRedacted, ListValue, REDACTED, Void } from '../values.ts';
import type { Value } from '../values.ts';
import { type Binding, unresolved } from './binding.ts';

function compileLookup(compiler: CheckCompiler, scope: Scope, source: Record<string, unknown>, at: At): Operand | undefined {
  const table = source['lookup'];
  const by = compiler.operand(compiler, scope, source['by'], [...at, 'by']);
  const many = source['many'];
  if (many !== undefined && typeof many !== 'boolean') compiler.report([...at, 'many'], '`many` is true or false');
  if (typeof table !== 'string') compiler.report([...at, 'lookup'], 'the name of a table is needed here', 'such as aws.kms.key');
  else if (compiler.within === null) compiler.tables.push({ table, many: many === true, at: [...at, 'lookup'] });
  if (typeof table !== 'string' || by === undefined) return undefined;
  if (!compiler.reads.has(table)) compiler.reads.set(table, new Set());
  const list = many === true;
  compiler.lowestSlot = -1; // where the subject lives decides what a reference means
  let last = 0; // `source` is asked for right after `read`
  const read = (evaluation: Evaluation): Value => {
    last = 0;
    const role = evaluation.role === '' ? table : evaluation.role;
    const given = by.read(evaluation);
    const key = isRedacted(given) ? REDACTED : given;
    if (key instanceof Void || key === null || key instanceof ListValue) {
      const because = key instanceof Void ? key.because : key === null ? 'it is null in the collected evidence' : 'it is a list';
      return unresolved('no-key', `${by.display(evaluation)}, the key of the lookup, is not known: ${because}`);
    }
    const result = evaluation.env.lookup(table, key, list, evaluation.subject);
    if (result.outcome !== 'found') {
      evaluation.noteLookup(role, table, key, result.outcome, result.because, 0);
      return new Void(
        result.outcome === 'absent' ? 'absent' : 'unresolved',
        result.outcome === 'absent' ? 'lookup-absent' : 'lookup-unknown',
        result.because,
      );
    }
    if (list) {
      const { records } = result;
      evaluation.noteLookup(
        role,
        table,
        key,
        `found ${records.length}${result.complete ? '' : ' or more'}`,
        result.complete ? undefined : result.because,
        0,
      );
      const cite = (index: number): number => {
        const record = records[index];
        return record === undefined ? 0 : evaluation.cite(role, record);
      };
      return new ListValue(
        records.map((record) => record.document),
        0,
        cite,
        result.complete,
        result.because ?? 'there may be more of them',
      );
    }
    const [record] = result.records;
    if (record === undefined) return unresolved('lookup-unknown', 'the lookup gave no record');
    const cited = evaluation.cite(role, record);
    last = cited;
    evaluation.noteLookup(role, table, key, 'found', undefined, cited);
    return record.document;
  };
  return {
    text: `${table}[${by.text}]`,
    read,
    source: () => last,
    display: (evaluation) => `${table} ${by.display(evaluation)}`,
    origin: { kind: 'table', table, prefix: [] },
    shape: list ? 'list' : 'value',
  };
}

/** The record, or with `many` the records, that a key leads to. */
export const lookup: Binding = { keys: ['lookup', 'by', 'many'], compile: compileLookup };
