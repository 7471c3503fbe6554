import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Assessment, Ledger, LedgerEntry, ReconciliationRow } from '../../src/model/index.ts';
import type { Signer } from '../../src/pack/sign/signer.ts';
import { verifyPack } from '../../src/pack/verify.ts';
import { evidenceDigest, stateRendering } from '../support/pack-run.ts';
import { newSigner, sealedSample, teller } from '../support/packs.ts';

/** A run whose choices or gaps were edited before it was sealed by somebody who holds the key: sealing refuses, verification tells. */

let signer: Signer;
beforeAll(async () => {
  signer = await newSigner();
});

function edit<T>(file: string, change: (value: T) => void): void {
  const value = JSON.parse(readFileSync(file, 'utf8')) as T;
  change(value);
  writeFileSync(file, JSON.stringify(value));
}
const assessed = (run: string, change: (value: Assessment) => void): void => edit(join(run, 'results/assessment.json'), change);

/** Changes the ledger, and keeps the digest of the evidence in step. */
function ledger(run: string, change: (value: Ledger) => void): void {
  edit(join(run, 'evidence/ledger.json'), change);
  assessed(run, (value) => {
    value.evidenceDigest = evidenceDigest(run);
  });
}

function configured(run: string, change: (value: Record<string, unknown>) => void): void {
  const file = join(run, 'inputs/exhibit.yaml');
  const value = parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  change(value);
  writeFileSync(file, stringify(value));
}

async function problemsOf(harm: (run: string) => void): Promise<string[]> {
  const spoil = ({ directory }: { directory: string }): void => {
    harm(directory);
    stateRendering(directory);
  };
  const { run, sealed } = await sealedSample(signer, spoil, { evenIfInconsistent: true });
  const report = await verifyPack(run.packDirectory, { fingerprint: sealed.fingerprint, teller });
  return report.steps.flatMap((step) => step.problems.map(({ code, message }) => `${code} ${message}`));
}

describe('choices that the configuration in the pack did not make', () => {
  const harms: Record<string, { harm: (run: string) => void; says: string }> = {
    'a parameter rewritten in the results': {
      harm: (run) =>
        assessed(run, (value) => {
          value.parameters['longestDays'] = 9;
        }),
      says: 'the parameter longestDays is 9 in the results, and ought to be 30',
    },
    'a parameter rewritten in the configuration': {
      harm: (run) => configured(run, (value) => (value['parameters'] = { longestDays: 9 })),
      says: 'the parameter longestDays is 30 in the results, and ought to be 9',
    },
    'a parameter that nobody set, with another value than its default': {
      harm: (run) => configured(run, (value) => delete value['parameters']),
      says: 'the parameter longestDays is 30 in the results, and ought to be 90',
    },
    'a bound on the age of evidence loosened': {
      harm: (run) =>
        assessed(run, (value) => {
          value.parameters['azurePolicyMaxAgeHours'] = 8760;
        }),
      says: 'the parameter azurePolicyMaxAgeHours is 8760 in the results, and ought to be 72',
    },
    'a parameter left out': {
      harm: (run) =>
        assessed(run, (value) => {
          delete value.parameters['longestDays'];
        }),
      says: 'the parameter longestDays is null in the results',
    },
    'a changed parameter that is not called changed': {
      harm: (run) =>
        assessed(run, (value) => {
          value.choices?.parameters.splice(0);
        }),
      says: 'do not name the parameters that differ from their defaults',
    },
    'a waiver extended in the results': {
      harm: (run) =>
        assessed(run, ({ waivers }) => {
          Object.assign(waivers[0] ?? {}, { expires: '2027-03-31', expired: false });
        }),
      says: 'the results hold other waivers',
    },
    'a waiver taken out of the configuration': {
      harm: (run) => configured(run, (value) => delete value['waivers']),
      says: 'the results hold other waivers',
    },
    'a waiver that counts as in force after its day': {
      harm: (run) =>
        assessed(run, ({ waivers }) => {
          Object.assign(waivers[0] ?? {}, { expired: false });
        }),
      says: 'the waiver legacy counts after it expired',
    },
    'a waiver that covers more than observations say': {
      harm: (run) =>
        assessed(run, ({ waivers }) => {
          Object.assign(waivers[0] ?? {}, { used: 2 });
        }),
      says: 'covers 2 failures by the results, and 0 observations name it',
    },
    'observations under a waiver that nobody granted': {
      harm: (run) => {
        const file = join(run, 'results/observations.ndjson');
        writeFileSync(file, readFileSync(file, 'utf8').replace('"method":"EXAMINE"', '"method":"EXAMINE","waiver":"own"'));
      },
      says: 'observations name the waiver own, which is not there',
    },
    'another choice of critical data': {
      harm: (run) =>
        assessed(run, (value) => {
          value.critical = { names: ['*-prod-*'], unclassified: 'not-critical' };
        }),
      says: 'another choice of critical data',
    },
    'a milder level': {
      harm: (run) => configured(run, (value) => (value['profile'] = { level: 1 })),
      says: 'the results are of level 2, it asks for level 1',
    },
    'another period': {
      harm: (run) =>
        assessed(run, ({ engagement }) => {
          engagement.period.from = '2026-01-01';
        }),
      says: 'the results are of another engagement',
    },
    'an answer that the configuration does not hold': {
      harm: (run) =>
        assessed(run, ({ answers }) => {
          answers.push({
            control: 'x',
            answer: 'satisfied',
            statement: 's',
            respondent: 'r',
            role: 'o',
            date: '2026-09-01',
            attachments: [],
          });
        }),
      says: 'the results hold other answers',
    },
    'no configuration': { harm: (run) => rmSync(join(run, 'inputs/exhibit.yaml')), says: 'it is missing or cannot be read' },
    'a configuration that is none': {
      harm: (run) => writeFileSync(join(run, 'inputs/exhibit.yaml'), 'waivers: {a: *b'),
      says: 'it is missing or cannot be read',
    },
  };
  test.each(Object.entries(harms))('%s', async (_, { harm, says }) => {
    const found = await problemsOf(harm);
    expect(found.filter((line) => line.startsWith('configuration-disagrees')).join('\n')).toContain(says);
  });

  test('order of keys, comments and defaults written out are no other choice', async () => {
    const found = await problemsOf((run) => {
      const file = join(run, 'inputs/exhibit.yaml');
      const value = parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
      const critical = { unclassified: 'critical', ...(value['critical'] as object) };
      const reversed = Object.fromEntries(Object.entries({ ...value, critical, profile: { level: 2 }, answers: [] }).reverse());
      writeFileSync(file, `# a comment\n${stringify(reversed)}`);
    });
    expect(found).toEqual([]);
  });
});

describe('evidence that is not whole', () => {
  const lacking: LedgerEntry = {
    collector: 'aws-config',
    provider: 'aws',
    account: '111122223333',
    region: 'global',
    type: 'AWS::IAM::User',
    status: 'not-recorded',
    held: 0,
    count: null,
    freshness: { oldest: null, newest: null },
    reasons: [{ code: 'type-not-recorded', message: 'nobody records it' }],
    queries: [],
  };
  const { provider, account, region, type, status, reasons } = lacking;
  const shortfall = { scope: { provider, account, region }, type, status, reasons, judgedBy: [], lookedUpBy: ['aws-s3-bucket-cmk'] };
  /** The ledger with the entry, and the results with what is made of it. */
  const told = (run: string, change: (value: Assessment) => void): void => {
    ledger(run, ({ entries }) => entries.push(lacking));
    assessed(run, (value) => {
      value.evidenceComplete = false;
      value.shortfalls = [structuredClone(shortfall)];
      change(value);
    });
  };

  test('and is listed as the ledger has it is accepted', async () => {
    expect(await problemsOf((run) => told(run, () => undefined))).toEqual([]);
  });

  const harms: Record<string, { change: (value: Assessment) => void; says: string }> = {
    'is not listed': {
      change: (value) => (value.shortfalls = []),
      says: 'the ledger calls it not-recorded, and the results do not list it',
    },
    'is listed under another word': {
      change: (value) => Object.assign(value.shortfalls?.[0] ?? {}, { status: 'stale' }),
      says: 'the results call it stale, the ledger not-recorded',
    },
    'is listed without its cause': {
      change: (value) => Object.assign(value.shortfalls?.[0] ?? {}, { reasons: [] }),
      says: 'the results leave out why it is not whole',
    },
    'is listed twice': { change: (value) => value.shortfalls?.push(shortfall), says: 'it is listed as not whole twice' },
    'is needed by a control that was not judged': {
      change: (value) => Object.assign(value.shortfalls?.[0] ?? {}, { lookedUpBy: ['other'] }),
      says: 'needed by other, which is not among the findings',
    },
    'is needed, and the evidence is called complete': {
      change: (value) => (value.evidenceComplete = true),
      says: 'it is not whole and needed, and the evidence is called complete',
    },
    'is made up': {
      change: (value) => value.shortfalls?.push({ ...shortfall, type: 'AWS::KMS::Key' }),
      says: 'the results call it not-recorded, the ledger nothing',
    },
  };
  test.each(Object.entries(harms))('and %s', async (_, { change, says }) => {
    const found = await problemsOf((run) => told(run, change));
    expect(found.filter((line) => line.startsWith('ledger-disagrees')).join('\n')).toContain(says);
  });

  test('and is judged by a control that it does not name', async () => {
    const found = await problemsOf((run) => {
      const unproved = (row: ReconciliationRow): unknown => Object.assign(row, { balanced: false, reasons });
      edit<ReconciliationRow[]>(join(run, 'results/reconciliation.json'), (rows) => rows.forEach(unproved));
      assessed(run, (value) => {
        value.reconciliation.forEach(unproved);
        value.shortfalls = [{ ...shortfall, scope: { provider, account, region: 'eu-west-1' }, type: 'AWS::S3::Bucket', status: null }];
      });
    });
    expect(found.join('\n')).toContain('aws-s3-bucket-cmk judges it, and is not named');
  });
});
