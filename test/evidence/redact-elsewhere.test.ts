import { describe, expect, test } from 'vitest';
import { redactElsewhere } from '../../src/evidence/redaction/elsewhere.ts';
import { redactPage } from '../../src/evidence/redaction/redact.ts';

const key = Buffer.alloc(32, 7);
/** A page of about `kilobytes`, every tenth record with a secret. */
const page = (kilobytes: number, secret: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      Results: Array.from({ length: kilobytes }, (_, at) =>
        JSON.stringify({
          id: at,
          name: 'ä'.repeat(400),
          ...(at % 10 === 0 && { configuration: { masterUserPassword: `${secret}-${at}` } }),
        }),
      ),
    }),
  );

describe('redaction on a thread of its own', () => {
  test('comes to the same bytes and commitments as here, many pages at once', async () => {
    const pages = Array.from({ length: 12 }, (_, at) => page(40 + at, `hunter${at}`));
    const there = await Promise.all(pages.map((one, at) => redactElsewhere(one, `evidence/c/s/q/page-${at}.json`, key)));
    for (const [at, one] of pages.entries()) {
      const here = await redactPage(one, `evidence/c/s/q/page-${at}.json`, key);
      expect(Buffer.compare(there[at]?.bytes ?? Buffer.alloc(0), here.bytes)).toBe(0);
      expect(there[at]?.redactions).toEqual(here.redactions);
      expect(there[at]?.redactions.length).toBeGreaterThan(3);
      expect(Buffer.from(there[at]?.bytes ?? []).toString('utf8')).not.toContain(`hunter${at}-`);
    }
  });

  test('a large page without secrets stays as received', async () => {
    const plain = Buffer.from(JSON.stringify({ Results: Array.from({ length: 100 }, () => 'x'.repeat(1000)) }));
    const { bytes, redactions } = await redactElsewhere(plain, 'evidence/c/s/q/page-000001.json', key);
    expect(Buffer.compare(bytes, plain)).toBe(0);
    expect(redactions).toEqual([]);
  });
});
