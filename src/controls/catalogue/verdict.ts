import type { Provider } from '../../model/index.ts';
import { accountSubject } from '../assess/native.ts';
import { typeShape } from '../language/compile.ts';
import type { At } from '../language/scope.ts';
import type { CheckEntry } from './envelope.ts';
import type { Problem, VerdictCheck } from '../types.ts';
import type { YamlSource } from './yaml-source.ts';

/** A check that rests on a rule of the provider, and what the rule speaks about. */
export function loadVerdict(
  problems: Problem[],
  source: YamlSource,
  provider: Provider,
  check: { id: string; title: string; verdict: NonNullable<CheckEntry['verdict']> },
  at: At,
): VerdictCheck {
  const { on, parents } = check.verdict;
  const [kind, named] =
    'awsConfigRule' in check.verdict
      ? (['awsConfigRule', check.verdict.awsConfigRule] as const)
      : (['azurePolicy', check.verdict.azurePolicy] as const);
  if (provider !== (kind === 'awsConfigRule' ? 'aws' : 'azure'))
    problems.push(source.problem(at, `a control of ${provider} cannot rest on ${kind}`));
  if (on !== undefined && parents !== undefined)
    problems.push(
      source.problem(
        [...at, 'parents'],
        '`on` and `parents` exclude each other',
        '`on` where the inventory lists what the rule judges, `parents` where it lists only what holds it',
      ),
    );
  const plain = {
    kind: 'verdict',
    id: check.id,
    title: check.title,
    provider,
    rule: kind === 'azurePolicy' ? named.toLowerCase() : named,
  } as const;
  const as = on !== undefined ? 'resources' : 'parents';
  const written = on ?? parents;
  if (written === undefined) return plain;
  const types = (typeof written === 'string' ? [written] : written).map((type) => (provider === 'azure' ? type.toLowerCase() : type));
  const where = [...at, on !== undefined ? 'on' : 'parents'];
  for (const type of types) {
    if (type === accountSubject)
      problems.push(
        source.problem(where, `${accountSubject} is no type of the inventory`, 'leave it out: of accounts there is one in each account'),
      );
    else if (types.indexOf(type) !== types.lastIndexOf(type)) problems.push(source.problem(where, `${type} is named twice`));
    else if (!typeShape[provider].test(type)) problems.push(source.problem(where, `${type} is no resource type of ${provider}`));
  }
  return { ...plain, about: { as, types } };
}
