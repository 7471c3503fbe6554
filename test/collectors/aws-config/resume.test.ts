import { spawn } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { collectAws, entry, needsOf, recordsOf, silent, temporaryDirectory } from '../../support/aws.ts';
import { emptyRunDirectory, simulatedAws } from '../../support/simulated-aws.ts';

const bucket = 'AWS::S3::Bucket';

const aws = simulatedAws();
const directory = emptyRunDirectory();

describe('stopping and going on', () => {
  const types = [bucket, 'AWS::EC2::Volume', 'AWS::KMS::Key', 'AWS::KMS::Alias', 'AWS::DynamoDB::Table'];

  test('an abort keeps what was collected, names the rest, and a resumed run completes it without asking again what was finished', async () => {
    const controller = new AbortController();
    const partly = await collectAws(aws, directory.path, needsOf(types), {
      signal: controller.signal,
      progress: {
        ...silent,
        page: (_collector, _scope, query) => {
          if (query === 'AWS.S3.Bucket') controller.abort();
        },
      },
    });
    const gaps = partly.entries.filter((one) => one.status !== 'complete');
    expect(gaps.length).toBeGreaterThan(0);
    for (const gap of gaps) expect(gap.reasons.map((reason) => reason.code)).toContain('aborted');
    expect(entry(partly, bucket)).toMatchObject({ status: 'partial' });
    // The page after the first may have been under way.
    expect(entry(partly, bucket)?.held).toBeGreaterThanOrEqual(100);

    const before = aws.book.calls().length;
    const whole = await collectAws(aws, directory.path, needsOf(types), { resume: true });
    expect(whole.entries.map((one) => one.status)).toEqual(types.map(() => 'complete'));
    const again = aws.book
      .calls()
      .slice(before)
      .filter((call) => call.operation === 'SelectResourceConfig' && call.detail === bucket);
    expect(again.map((call) => call.offset)).not.toContain(0); // went on after its first page
  });

  test('killed at any moment, a resumed run comes to the same evidence', async () => {
    const reference = temporaryDirectory();
    const expected = await collectAws(aws, reference.path, needsOf(types));
    const expectedRecords = await recordsOf(reference.path);
    reference.remove();

    for (const pagesBeforeDeath of [1, 6]) {
      directory.renew();
      const child = spawn(
        process.execPath,
        [
          new URL('../../support/aws-collect-child.ts', import.meta.url).pathname,
          aws.origin,
          aws.member,
          aws.region,
          directory.path,
          types.join(','),
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      const exit = new Promise((resolve) => child.once('exit', resolve));
      let pages = 0;
      child.stdout.on('data', (chunk: Buffer) => {
        pages += chunk.toString().split('\n').length - 1;
        if (pages >= pagesBeforeDeath) child.kill('SIGKILL');
      });
      await exit;
      expect(child.signalCode).toBe('SIGKILL');
      const finished = await finishedQueries(directory.path);

      const before = aws.book.calls().length;
      const ledger = await collectAws(aws, directory.path, needsOf(types), { resume: true });
      const asked = new Set(
        aws.book
          .calls()
          .slice(before)
          .filter((call) => call.operation === 'SelectResourceConfig')
          .map((call) => call.detail),
      );
      for (const type of finished) expect(asked.has(type)).toBe(false);
      expect(ledger.entries).toEqual(expected.entries);
      expect(await recordsOf(directory.path)).toEqual(expectedRecords);
    }
  });

  async function finishedQueries(runDirectory: string): Promise<string[]> {
    const { evidenceReader } = await import('../../../src/evidence/reader.ts');
    return evidenceReader(runDirectory, {})
      .queries()
      .filter((stored) => stored.query.status === 'complete' && stored.query.operation === 'SelectResourceConfig')
      .flatMap((stored) => stored.query.types);
  }
});
