import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Assessment, Ledger, Query } from '../../src/model/index.ts';
import type { Signer } from '../../src/pack/sign/signer.ts';
import { verifyPack } from '../../src/pack/verify.ts';
import { evidenceDigest, htmlReport, stateRendering } from '../support/pack-run.ts';
import { newSigner, sealedSample, teller } from '../support/packs.ts';

/**
 * Someone with the key edits a run before sealing and keeps what is easily noticed in step. Whatever contradicts something else in the
 * pack is refused at sealing, and where sealing is forced, found at verification.
 */

let signer: Signer;
beforeAll(async () => {
  signer = await newSigner();
});

const queryDirectory = 'evidence/aws-config/111122223333.eu-west-1/AWS.S3.Bucket';
const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');

function edit<T>(run: string, file: string, change: (value: T) => void): void {
  const value = JSON.parse(readFileSync(join(run, file), 'utf8')) as T;
  change(value);
  writeFileSync(join(run, file), JSON.stringify(value));
}

const assessment = (run: string, change: (value: Assessment) => void): void => edit<Assessment>(run, 'results/assessment.json', change);

/** Passes all observations, and everything that is counted from them with it. */
function whitewash(run: string): void {
  const file = join(run, 'results/observations.ndjson');
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"status":"fail"', '"status":"pass"'));
  edit<Assessment['reconciliation']>(run, 'results/reconciliation.json', (rows) => {
    for (const row of rows) Object.assign(row, { pass: row.pass + row.fail, fail: 0 });
  });
  assessment(run, (value) => {
    value.summary.counts = { ...value.summary.counts, pass: 1, fail: 0 };
    value.summary.score = 1;
    for (const finding of value.findings)
      Object.assign(finding, { status: 'pass', counts: { ...finding.counts, pass: finding.counts.pass + finding.counts.fail, fail: 0 } });
    value.summary.resources = value.findings[0]?.counts ?? value.summary.resources;
    value.reconciliation = JSON.parse(readFileSync(join(run, 'results/reconciliation.json'), 'utf8')) as Assessment['reconciliation'];
  });
}

/** The digest over the evidence and the index of it, as assessing would write them now. */
function indexAgain(run: string): void {
  assessment(run, (value) => {
    for (const query of value.queries) query.sha256 = sha256(readFileSync(join(run, query.directory, 'query.json')));
    value.evidenceDigest = evidenceDigest(run);
  });
}

async function problemsOf(harm: (run: string) => void): Promise<string> {
  const spoil = ({ directory }: { directory: string }): void => {
    harm(directory);
    stateRendering(directory);
  };
  await expect(sealedSample(signer, spoil)).rejects.toThrow(/does not agree with itself/);
  const { run, sealed } = await sealedSample(signer, spoil, { evenIfInconsistent: true });
  const report = await verifyPack(run.packDirectory, { fingerprint: sealed.fingerprint, teller });
  expect(report.ok).toBe(false);
  return report.steps.flatMap((step) => step.problems.map(({ code, message }) => `${code} ${message}`)).join('\n');
}

describe('results edited before sealing', () => {
  test('a failing control called not applicable', async () => {
    const found = await problemsOf((run) =>
      assessment(run, ({ findings, summary }) => {
        Object.assign(findings[0] ?? {}, { status: 'notapplicable' });
        summary.counts = { ...summary.counts, fail: 0, notapplicable: 1 };
        summary.score = null;
      }),
    );
    expect(found).toContain('stated as notapplicable, and its observations come to fail');
  });

  test('a failing control left out', async () => {
    const found = await problemsOf((run) =>
      assessment(run, (value) => {
        value.findings = [];
        value.summary.counts = { ...value.summary.counts, fail: 0 };
        value.summary.resources = value.summary.counts;
        value.summary.score = null;
      }),
    );
    expect(found).toContain('was observed, and is not among the findings');
  });

  test('a better score', async () => {
    expect(
      await problemsOf((run) =>
        assessment(run, ({ summary }) => {
          summary.score = 1;
        }),
      ),
    ).toContain('the summary does not follow from the findings');
    expect(
      await problemsOf((run) =>
        assessment(run, ({ summary }) => {
          summary.resources = { ...summary.resources, fail: 0 };
        }),
      ),
    ).toContain('counts other observations');
    expect(
      await problemsOf((run) =>
        assessment(run, ({ summary }) => {
          summary.levels = [{ level: 1, counts: { ...summary.counts, pass: 9 }, score: 1 }];
        }),
      ),
    ).toContain('level 1 does not follow');
  });

  test('fails called waived that nobody waived', async () => {
    expect(
      await problemsOf((run) =>
        assessment(run, ({ findings }) => {
          Object.assign(findings[0] ?? {}, { waived: 3 });
        }),
      ),
    ).toContain('3 waived in the finding, 0 observations name a waiver');
  });

  test('another reconciliation in the assessment, which the report is made of, than in the file', async () => {
    expect(
      await problemsOf((run) =>
        assessment(run, ({ reconciliation }) => {
          Object.assign(reconciliation[0] ?? {}, { fail: 0, pass: 6 });
        }),
      ),
    ).toContain('another reconciliation');
  });

  test('scopes left out of the report, another instant, another run', async () => {
    expect(
      await problemsOf((run) =>
        assessment(run, (value) => {
          value.asOf = '2026-01-01T00:00:00Z';
        }),
      ),
    ).toContain('another run or instant');
    expect(
      await problemsOf((run) =>
        assessment(run, (value) => {
          value.scopes = [
            {
              collector: 'aws-config',
              provider: 'aws',
              account: '1',
              region: 'x',
              name: null,
              knownFrom: [],
              status: 'complete',
              identity: null,
              reasons: [],
            },
          ];
        }),
      ),
    ).toContain('other scopes than the ledger');
  });

  test('an instant after collection began, in the ledger and in the assessment', async () => {
    const found = await problemsOf((run) => {
      edit<Ledger>(run, 'evidence/ledger.json', (value) => {
        value.asOf = '2027-01-01T00:00:00Z';
      });
      assessment(run, (value) => {
        value.asOf = '2027-01-01T00:00:00Z';
      });
      indexAgain(run);
    });
    expect(found).toContain('judged as of 2027-01-01T00:00:00Z, and collected from');
  });

  test('a query left out of the index', async () => {
    expect(
      await problemsOf((run) =>
        assessment(run, (value) => {
          value.queries = [];
        }),
      ),
    ).toContain('not in the index of evidence');
  });

  test('a passing control whose populations are all gone', async () => {
    const found = await problemsOf((run) => {
      whitewash(run);
      writeFileSync(join(run, 'results/reconciliation.json'), '[]');
      const file = join(run, 'results/observations.ndjson');
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"kind":"resource"', '"kind":"scope"'));
      assessment(run, (value) => {
        value.reconciliation = [];
        Object.assign(value.findings[0]?.control ?? {}, { checks: [{ id: 'cmk', kind: 'condition', on: 'AWS::S3::Bucket', title: 'x' }] });
      });
    });
    expect(found).toContain('is pass, and no population of it is reconciled');
  });
});

describe('evidence edited before sealing', () => {
  const ledger = (run: string, change: (value: Ledger) => void): void => {
    edit<Ledger>(run, 'evidence/ledger.json', change);
    indexAgain(run);
  };

  test('a population that the ledger calls partial under a pass', async () => {
    const found = await problemsOf((run) => {
      whitewash(run);
      ledger(run, ({ entries }) => {
        Object.assign(entries[0] ?? {}, { status: 'partial' });
      });
    });
    expect(found).toContain('ledger-disagrees');
    expect(found).toContain('the ledger calls it partial');
  });

  test('a population of the ledger that no row speaks of', async () => {
    const found = await problemsOf((run) => {
      whitewash(run);
      ledger(run, ({ entries }) => {
        const [first] = entries;
        if (first) entries.push({ ...first, region: 'us-east-1' });
      });
    });
    expect(found).toContain('in aws/111122223333/us-east-1 is not reconciled');
  });

  test('a population that the ledger does not know, or counts otherwise', async () => {
    expect(
      await problemsOf((run) =>
        ledger(run, (value) => {
          value.entries = [];
        }),
      ),
    ).toContain('the ledger has no entry for it');
    expect(
      await problemsOf((run) =>
        ledger(run, ({ entries }) => {
          Object.assign(entries[0] ?? {}, { count: { count: 9, source: 'x' } });
        }),
      ),
    ).toContain('in the ledger as 9');
  });

  test('the last page cut off: the one before announces it', async () => {
    const found = await problemsOf((run) => {
      rmSync(join(run, queryDirectory, 'page-000003.json'));
      edit<Query>(run, `${queryDirectory}/query.json`, (query) => {
        query.pages.splice(2);
        Object.assign(query.pages[1] ?? {}, { nextTokenSha256: sha256('token') });
      });
      indexAgain(run);
    });
    expect(found).toContain('query-unfinished');
  });
});

describe('inputs and reports edited before sealing', () => {
  test.each(['appended', 'added', 'missing'])('a catalogue file %s', async (how) => {
    const found = await problemsOf((run) => {
      const file = join(run, 'inputs/catalogue', how === 'added' ? 'more.yaml' : 'controls.yaml');
      if (how === 'missing') rmSync(file);
      else writeFileSync(file, 'name: other\n');
    });
    expect(found).toContain('inputs-disagree');
  });

  test('a catalogue digest that is not that of its files', async () => {
    expect(
      await problemsOf((run) =>
        assessment(run, ({ catalogue }) => {
          catalogue.sha256 = 'd'.repeat(64);
        }),
      ),
    ).toContain('is not that of its files');
  });

  test.each(['report.html', 'report.pdf', 'results/findings.csv'])('another %s than was made of the results', async (name) => {
    const harm = ({ directory }: { directory: string }): void => {
      const file = join(directory, name);
      if (name === 'report.pdf') {
        const bytes = readFileSync(file);
        bytes.write('tame', bytes.indexOf('Evidence report'), 'latin1');
        writeFileSync(file, bytes);
      } else writeFileSync(file, 'all is well');
    };
    await expect(sealedSample(signer, harm)).rejects.toThrow(/was not made from these results/);
    const { run, sealed } = await sealedSample(signer, harm, { evenIfInconsistent: true });
    const report = await verifyPack(run.zipPath, { fingerprint: sealed.fingerprint });
    expect(new Set(report.steps.flatMap((step) => step.problems.map(({ code }) => code)))).toEqual(new Set(['report-stale']));
  });

  test('assessed again after rendering: the reports are of former results', async () => {
    const harm = ({ directory }: { directory: string }): void =>
      assessment(directory, ({ engagement }) => {
        engagement.title = 'Another';
      });
    await expect(sealedSample(signer, harm)).rejects.toThrow(/made of another version/);
  });
});

describe('evidence edited in step with the results', () => {
  test('a failing resource exchanged for one that was never there', async () => {
    const found = await problemsOf((run) => {
      const file = join(run, 'results/observations.ndjson');
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll('bucket-2-1', 'bucket-9-9'));
    });
    expect(found).toContain('record-missing');
  });

  test('the last page left out, and the one before it said to be the last', async () => {
    const page = `${queryDirectory}/page-000003.json`;
    const found = await problemsOf((run) => {
      const body = JSON.stringify({ ...(JSON.parse(readFileSync(join(run, page), 'utf8')) as object), NextToken: 'more' });
      writeFileSync(join(run, page), body);
      edit<Query>(run, `${queryDirectory}/query.json`, (query) => {
        Object.assign(query.pages[2] ?? {}, { sha256: sha256(body), bytes: Buffer.byteLength(body) });
      });
      indexAgain(run);
    });
    expect(found).toMatch(/query-unfinished .*it holds a token for a next page/);
  });

  test.each([
    ['endpoint', (query: Query): unknown => (query.endpoint = 'http://127.0.0.1:8080')],
    ['identity', (query: Query): unknown => (query.identity = 'arn:aws:iam::999900001111:user/somebody')],
    ['text', (query: Query): unknown => (query.text = "SELECT * WHERE resourceId = 'bucket-0-0'")],
    ['items', (query: Query): unknown => Object.assign(query.pages[0] ?? {}, { items: 1 })],
  ])('another %s in a query than the report shows', async (what, change) => {
    const found = await problemsOf((run) => {
      edit<Query>(run, `${queryDirectory}/query.json`, change);
      indexAgain(run);
    });
    expect(found).toContain(`the index of evidence tells another ${what}`);
  });

  test('other times of collection than the ledger has', async () => {
    expect(await problemsOf((run) => assessment(run, (value) => (value.collected.startedAt = '2026-09-29T00:00:00Z')))).toContain(
      'other times of collection',
    );
  });
});

describe('an HTML report that shows something else than the results', () => {
  const shown = (change: (observations: string) => string) => (run: string) => {
    const observations = readFileSync(join(run, 'results/observations.ndjson'), 'utf8');
    writeFileSync(join(run, 'report.html'), htmlReport(change(observations)));
  };

  test.each<[string, (run: string) => void, RegExp]>([
    ['failures as passes', shown((text) => text.replaceAll('"status":"fail"', '"status":"pass"')), /it shows [06] observations of/],
    [
      'the failures not at all',
      shown((text) => text.replace(/^.*"status":"fail".*\n/gm, '')),
      /it shows 0 observations of \S+ that are fail/,
    ],
    ['other resources', shown((text) => text.replaceAll('bucket-0-1', 'bucket-7-7')), /it shows other resources under \S+ as fail/],
    ['no rows', (run) => writeFileSync(join(run, 'report.html'), '<p>all is well</p>'), /it has no rows/],
    [
      'rows hidden from checking',
      (run) => {
        const path = join(run, 'report.html');
        writeFileSync(path, `${readFileSync(path, 'utf8')}<p><script type="text/plain" class="x-index">eJw=</script>`);
      },
      /its rows lie where no report has them/,
    ],
  ])('%s', async (_name, harm, says) => {
    expect(await problemsOf(harm)).toMatch(says);
  });
});
