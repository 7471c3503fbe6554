import { closeSync, openSync, writeSync } from 'node:fs';
import { emptyCounts, rollUp } from '../../../src/model/index.ts';
import type { Finding, Observation, ReconciliationRow, Scope, Status, StatusCounts } from '../../../src/model/index.ts';
import { madeUpControl, type MadeUpControl } from './controls.ts';
import { SCOPES } from './estate.ts';
import { HOSTILE } from './hostile-names.ts';
import { ofGap, ofQuestion, ofResource } from './observations.ts';
import type { FixtureOptions } from './options.ts';
import { random } from './repeatable.ts';

export interface Findings {
  readonly findings: Finding[];
  readonly reconciliation: ReconciliationRow[];
  /** How all observations came out, but for gaps. */
  readonly resources: StatusCounts;
}

type ScopeCounts = StatusCounts & { waived: number };

/** Writes the observations of each control in turn, and returns what they add up to. */
export function writeObservations(path: string, options: FixtureOptions): Findings {
  const total = options.observations ?? 2000;
  const next = random(options.seed ?? 7);
  const controls = Array.from({ length: options.controls ?? 60 }, (_, index) => madeUpControl(index)).sort((a, b) =>
    a.definition.id < b.definition.id ? -1 : 1,
  );
  const file = openSync(path, 'w');
  const findings: Finding[] = [];
  const reconciliation: ReconciliationRow[] = [];
  const resources = emptyCounts();
  let offset = 0;
  let serial = 0;

  for (const [index, control] of controls.entries()) {
    const { definition, type } = control;
    const share = index === controls.length - 1 ? total - serial : Math.round((total / controls.length) * (0.3 + 1.4 * next()));
    const scopes = SCOPES.filter((scope) => scope.provider === definition.provider);
    const denied = options.whole !== true && index % 17 === 5 ? scopes[scopes.length - 1] : undefined;
    const clean = index % 4 === 1;
    const counts = emptyCounts();
    const inScope = new Map(scopes.map((scope): [Scope, ScopeCounts] => [scope, { ...emptyCounts(), waived: 0 }]));
    const start = offset;
    let count = 0;
    const write = (observation: Observation): void => {
      const line = Buffer.from(`${JSON.stringify(observation)}\n`);
      writeSync(file, line);
      offset += line.length;
      count += 1;
    };

    const amount = definition.assessment === 'manual' ? 0 : Math.max(0, Math.min(share, total - serial));
    for (let each = 0; each < amount; each += 1) {
      serial += 1;
      const scope = scopes[Math.floor(next() * scopes.length)] ?? scopes[0]!;
      const roll = next();
      const plain = plainName(next, serial);
      const special = specialName(options, serial);
      const status: Status = special !== undefined && !clean ? 'fail' : drawnStatus(roll, clean, options.failing ?? 0.16);
      const observation = ofResource(control, { serial, scope, name: special ?? plain, status });
      write(observation);
      counts[status] += 1;
      resources[status] += 1;
      const scoped = inScope.get(scope)!;
      scoped[status] += 1;
      if (observation.waiver !== undefined) scoped.waived += 1;
    }
    if (definition.assessment === 'manual') {
      const status: Status = index % 2 === 0 ? 'notchecked' : 'pass';
      write(ofQuestion(control, scopes[0]!, status));
      counts[status] += 1;
      resources[status] += 1;
    }
    if (denied !== undefined) write(ofGap(control, denied));
    if (definition.assessment === 'automated') {
      for (const [scope, scoped] of inScope)
        reconciliation.push(
          reconciled(control, scope, scoped, Math.floor(next() * 20), scope === denied && (index % 2 === 0 ? 'uncounted' : 'short')),
        );
    }

    const gaps = denied === undefined ? 0 : 1;
    const statusesPresent = (Object.keys(counts) as Status[]).filter((status) => counts[status] > 0);
    findings.push({
      control: definition,
      status: rollUp([...statusesPresent, ...(gaps > 0 ? ['unknown' as const] : [])]) ?? 'notapplicable',
      counts,
      waived: [...inScope.values()].reduce((sum, scoped) => sum + scoped.waived, 0),
      excluded: 11,
      gaps,
      reasons:
        gaps > 0 ? [{ code: 'access-denied', message: `The population of ${type} in one scope could not be proved: access denied.` }] : [],
      observations: { count, blocks: [[start, offset - start]] },
    });
  }
  closeSync(file);
  return { findings, reconciliation, resources };
}

function drawnStatus(roll: number, clean: boolean, failing: number): Status {
  if (clean) return roll < 0.85 ? 'pass' : 'notapplicable';
  if (roll < failing) return 'fail';
  if (roll < failing + 0.03) return 'unknown';
  if (roll < failing + 0.035) return 'error';
  return roll < 0.9 ? 'pass' : 'notapplicable';
}

function plainName(next: () => number, serial: number): string {
  const what = ['ledger', 'payments', 'claims', 'hr', 'archive'][Math.floor(next() * 5)] ?? 'x';
  const where = ['prod', 'eu', 'core', 'stage'][Math.floor(next() * 4)] ?? 'y';
  return `${what}-${where}-${(serial * 7919).toString(16).padStart(6, '0')}`;
}

/** A huge or a hostile name, where the options ask for one at this place. */
function specialName(options: FixtureOptions, serial: number): string | undefined {
  if (options.huge === true && serial === 1) return 'H'.repeat(1_000_000);
  return options.hostile === true && serial % 11 === 3 ? HOSTILE[Math.floor(serial / 11) % HOSTILE.length] : undefined;
}

/** `unbalanced`: nobody counted the scope, or more was counted than is held. */
function reconciled(
  { definition, type }: MadeUpControl,
  scope: Scope,
  scoped: ScopeCounts,
  notCritical: number,
  unbalanced: 'uncounted' | 'short' | false,
): ReconciliationRow {
  const held = scoped.pass + scoped.fail + scoped.unknown + scoped.error + scoped.notapplicable + notCritical;
  return {
    control: definition.id,
    check: definition.checks[0]?.id ?? '',
    scope,
    type,
    count:
      unbalanced === 'uncounted'
        ? null
        : {
            count: held + (unbalanced === 'short' ? 7 : 0),
            source:
              scope.provider === 'aws'
                ? 'GetDiscoveredResourceCounts'
                : scope.provider === 'azure'
                  ? 'Resource Graph summarize count()'
                  : 'SearchAllResources',
          },
    held,
    pass: scoped.pass,
    fail: scoped.fail,
    unknown: scoped.unknown,
    error: scoped.error,
    notapplicable: scoped.notapplicable,
    excluded: { 'not critical': notCritical },
    waived: scoped.waived,
    balanced: unbalanced === false,
    reasons:
      unbalanced === false
        ? []
        : [{ code: 'access-denied', message: `User is not authorised to list ${type}: AccessDeniedException on page 3.` }],
  };
}
