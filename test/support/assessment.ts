import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assessmentSchema, emptyCounts } from '../../src/model/index.ts';
import type { Assessment, Finding, StatusCounts } from '../../src/model/index.ts';
import { storesMade } from './assessment/access.ts';
import { queriesMade, scopesCovered, shortfallsOf } from './assessment/coverage.ts';
import { SCOPES } from './assessment/estate.ts';
import { writeObservations } from './assessment/findings.ts';
import type { FixtureOptions } from './assessment/options.ts';
import { hex } from './assessment/repeatable.ts';

/**
 * Writes a run directory's `results/` with an assessment, its observations and access lines, all valid by the model's
 * schemas and consistent with one another. Returns the assessment.
 */
export function writeFixture(runDirectory: string, options: FixtureOptions = {}): Assessment {
  const results = join(runDirectory, 'results');
  mkdirSync(results, { recursive: true });
  const { findings, reconciliation, resources } = writeObservations(join(results, 'observations.ndjson'), options);
  const tally = (list: readonly Finding[]): { counts: StatusCounts; score: number | null } => {
    const counts = emptyCounts();
    for (const finding of list) counts[finding.status] += 1;
    return { counts, score: counts.pass + counts.fail === 0 ? null : counts.pass / (counts.pass + counts.fail) };
  };
  const access = storesMade(options.hostile === true);
  const sets = new Map(access.map(({ readers }) => [readers.id, readers]));
  const lines = (all: Iterable<object>): string => [...all].map((line) => `${JSON.stringify(line)}\n`).join('');
  writeFileSync(join(results, 'access.ndjson'), lines(access.map(({ subject, readers }) => ({ subject, readers: readers.id }))));
  writeFileSync(join(results, 'readers.ndjson'), lines(sets.values()));
  const sections = [...new Set(findings.map((finding) => finding.control.section))].sort();
  const assessment: Assessment = {
    version: 1,
    runId: '2026-Q3-v1',
    tool: { name: 'exhibit', version: '0.1.0' },
    catalogue: {
      name: 'Exhibit catalogue',
      version: '0.1.0',
      sha256: hex('catalogue'),
      files: ['aws/s3', 'aws/kms', 'azure/storage', 'gcp/storage'].map((name) => ({ file: `controls/${name}.yaml`, sha256: hex(name) })),
    },
    engagement: {
      id: 'northwind-2026-q3',
      title: 'Customer managed keys for critical data',
      entity: 'Northwind Traders Ltd',
      period: { from: '2026-07-01', to: '2026-09-30' },
      preparedFor: 'External auditor, FY26',
      classification: 'Confidential',
    },
    profile: { level: 2, title: 'Level 2' },
    parameters: { 'rotation.max-days': 365, 'freshness.aws-config.hours': 24, 'trusted.accounts': ['111122223333', '444455556666'] },
    critical: {
      tags: { 'data-class': ['critical', 'restricted'] },
      names: ['*-prod-*'],
      notCriticalTags: { 'data-class': ['public'] },
      unclassified: 'critical',
    },
    asOf: '2026-09-30T22:00:00Z',
    collected: { startedAt: '2026-09-30T22:00:14Z', endedAt: '2026-09-30T22:03:51Z' },
    summary: {
      ...tally(findings),
      sections: sections.map((section) => {
        const list = findings.filter((finding) => finding.control.section === section);
        return { section, provider: list[0]!.control.provider, ...tally(list) };
      }),
      levels: [1, 2].map((level) => ({ level, ...tally(findings.filter((finding) => finding.control.level === level)) })),
      resources,
    },
    findings,
    scopes: scopesCovered(options.whole === true),
    reconciliation,
    waivers: [
      {
        id: 'EX-2026-014',
        control: 'aws-*',
        resources: ['arn:aws:s3:*:archive-*'],
        owner: 'Dana Fields, Storage',
        approver: 'Ruth Okafor, CISO',
        justification:
          'Archive buckets move to the new key by the end of the year; read access is limited to two break-glass roles meanwhile.',
        approvedOn: '2026-06-12',
        expires: '2026-12-31',
        expired: false,
        used: findings.reduce((sum, finding) => sum + finding.waived, 0),
      },
      {
        id: 'EX-2025-090',
        control: 'gcp-storage-bucket-cmk',
        resources: ['*'],
        owner: 'Lee Park',
        approver: 'Ruth Okafor, CISO',
        justification: 'Pending vendor support.',
        approvedOn: '2025-03-01',
        expires: '2026-03-01',
        expired: true,
        used: 0,
      },
    ],
    answers: [
      {
        control: 'gcp-storage-bucket-key-admins',
        answer: 'satisfied',
        statement: 'Key administration and key use are held by different groups, reviewed each quarter. The last review is attached.',
        respondent: 'Ines Duarte',
        role: 'Head of platform security',
        date: '2026-09-18',
        validUntil: '2026-12-31',
        attachments: ['attachments/review-2026-q3.pdf'],
      },
    ],
    queries: queriesMade(options.whole === true),
    access: {
      stores: access.length,
      keyBoundary: access.filter(({ readers }) => readers.world === 'key-boundary').length,
      dataRoles: access.filter(({ readers }) => readers.world === 'data-roles').length,
      wide: access.filter(({ readers }) => readers.principals.some((principal) => principal.wide)).length,
      incomplete: access.filter(({ readers }) => !readers.complete).length,
    },
    shortfalls: options.whole === true ? [] : shortfallsOf(SCOPES),
    redactions: 12,
    evidenceDigest: hex('evidence'),
    evidenceComplete: options.whole === true,
  };
  assessmentSchema.parse(assessment);
  writeFileSync(join(results, 'assessment.json'), JSON.stringify(assessment, null, 1));
  return assessment;
}
