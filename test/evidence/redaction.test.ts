import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eachString, pathOf, unescapeContent } from '../../src/evidence/redaction/leaves.ts';
import { redactionSalt, redactPage } from '../../src/evidence/redaction/redact.ts';
import type { Json, JsonObject } from '../../src/model/index.ts';

const key = Buffer.alloc(32, 7);
const redact = (page: string | Buffer) => redactPage(Buffer.from(page), 'evidence/c/s/q/page-000001.json', key);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

describe('redaction', () => {
  test('a page without secrets stays the very bytes that were received', async () => {
    const page = Buffer.from('{"Results" : ["{\\"a\\":1.0}"],\n "NextToken":null}');
    const { bytes, redactions } = await redact(page);
    expect(bytes).toEqual(page);
    expect(redactions).toEqual([]);
  });

  test('a Lambda environment inside a Select row is replaced in place; every other byte stays', async () => {
    const row = JSON.stringify({
      configuration: { environment: { variables: { DB_PASSWORD: 'hünter "2"\\', FLAG: 'true' } }, memorySize: 128.5 },
    });
    const page = `{ "Results":[${JSON.stringify(row)}] }`;
    const { bytes, redactions } = await redact(page);
    expect(text(bytes)).toBe(
      page.replace(JSON.stringify(JSON.stringify('hünter "2"\\').slice(1, -1)).slice(1, -1), '[redacted by exhibit: environment-variable]'),
    );
    const inner = JSON.parse((JSON.parse(text(bytes)) as { Results: string[] }).Results[0] ?? '') as {
      configuration: { environment: { variables: Record<string, string> } };
    };
    expect(inner.configuration.environment.variables).toEqual({ DB_PASSWORD: '[redacted by exhibit: environment-variable]', FLAG: 'true' });
    expect(redactions).toHaveLength(1);
    expect(redactions[0]).toMatchObject({
      pointer: '/Results/0',
      within: '/configuration/environment/variables/DB_PASSWORD',
      rule: 'environment-variable',
    });
  });

  test.each([
    'secretlint-disable --',
    'secretlint-disable-line --',
    'secretlint-disable @secretlint/secretlint-rule-github --',
    '/* secretlint-disable */\n',
  ])('no text in a page switches the detector off: %j', async (directive) => {
    const secret = 'ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8';
    const { bytes, redactions } = await redact(JSON.stringify([{ tag: directive }, { note: secret }], null, 1));
    expect(text(bytes)).not.toContain(secret);
    expect(redactions).toMatchObject([{ rule: 'secretlint-github', pointer: '/1/note' }]);
  });

  test('a page full of what looks like secrets takes time in proportion to its size', async () => {
    const full = (kilobytes: number): string => JSON.stringify([{ note: 'ghs_1_a.'.repeat(kilobytes * 125) }]);
    const took = async (page: string): Promise<number> => {
      const started = performance.now();
      expect((await redact(page)).redactions.length).toBeGreaterThan(page.length / 50);
      return performance.now() - started;
    };
    await took(full(20));
    const [small, large] = [await took(full(50)), await took(full(400))];
    // Eight times the size; sixty-four times the time would be the square.
    expect(large / small).toBeLessThan(40);
  });

  test('of findings that overlap nothing stays', async () => {
    // A URL's password that goes on as a token beyond the end of the URL.
    const token = 'ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8';
    const page = JSON.stringify({ note: `https://user:${token}@host and mongodb://root:${token}x@db/${token}` });
    const { bytes } = await redact(page);
    expect(text(bytes)).not.toMatch(/a1B2c3|q7R8/);
    JSON.parse(text(bytes));
  });

  test('a Google service account key is taken out of the page that it is', async () => {
    const account = {
      type: 'service_account',
      private_key_id: 'abc',
      private_key: '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n',
    };
    expect(text((await redact(JSON.stringify(account))).bytes)).not.toContain('MIIEvQIBADANBg');
  });

  test('a disclosed value matches its commitment, another does not', async () => {
    const { redactions } = await redact('{"data":[{"properties":{"siteConfig":{"appSettings":[{"name":"DB","value":"s3cr€t"}]}}}]}');
    const [only] = redactions;
    const salt = redactionSalt(key, 'evidence/c/s/q/page-000001.json', only?.pointer ?? '', only?.within);
    const commit = (value: string): string => createHash('sha256').update(salt).update(value, 'utf8').digest('hex');
    expect(only?.commitment).toBe(commit('s3cr€t'));
    expect(only?.commitment).not.toBe(commit('secret'));
  });

  test.each([
    ['a SAS token', 'https://x.blob.core.windows.net/c?sv=2022&sig=abcDEF123%2Bghi456jkl789mno%3D&se=1', 'abcDEF123'],
    [
      'a storage connection string',
      'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=Zm9vYmFyYmF6cXV4cXV1eA==;EndpointSuffix=x',
      'Zm9vYmFy',
    ],
    ['credentials in a URL', 'postgres://app:correcthorse@db.internal:5432/app', 'correcthorse'],
    ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----', 'MIIEpAIBAAKCAQEA7'],
    ['a GitHub token', 'token is ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8', 'ghp_a1B2c3'],
  ])('%s in a free text field', async (_name, value, secret) => {
    const { bytes, redactions } = await redact(JSON.stringify({ data: [{ tags: { note: value } }] }));
    expect(text(bytes)).not.toContain(secret);
    expect(redactions.length).toBeGreaterThan(0);
    expect(() => JSON.parse(text(bytes)) as Json).not.toThrow();
  });

  test('key ids, ARNs and key versions are no secrets', async () => {
    const page = JSON.stringify({
      a: 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      b: 'https://v.vault.azure.net/keys/k/0123456789abcdef0123456789abcdef',
      c: 'projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1',
    });
    expect((await redact(page)).redactions).toEqual([]);
  });

  test('whatever the page holds, it stays parsable and only strings change', async () => {
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.string({ unit: 'binary' }),
        fc.integer(),
        fc.constant(null),
        fc.boolean(),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom('value', 'environment', 'variables', 'userData', 'password', 'a'), tie('value'), { maxKeys: 4 }),
      ),
    })).value;
    const shape = (value: unknown): unknown => {
      if (typeof value === 'string') return 'string';
      if (Array.isArray(value)) return value.map(shape);
      if (value !== null && typeof value === 'object')
        return Object.fromEntries(Object.entries(value as JsonObject).map(([k, v]) => [k, shape(v)]));
      return value;
    };
    await fc.assert(
      fc.asyncProperty(json, fc.boolean(), async (value, nested) => {
        const page = JSON.stringify(nested ? { Results: [JSON.stringify(value)] } : value);
        const { bytes } = await redact(page);
        expect(shape(JSON.parse(text(bytes)))).toEqual(shape(JSON.parse(page)));
      }),
      { numRuns: 300 },
    );
  });

  test('deep nesting and damaged text are bounded', async () => {
    await expect(redact('['.repeat(200_000))).resolves.toMatchObject({ redactions: [] });
    await expect(redact('{"a":"unterminated')).resolves.toMatchObject({ redactions: [] });
  });
});

describe('string leaves', () => {
  test('agree with JSON.parse on every string value and its path', () => {
    const collect = (value: unknown, path: (string | number)[] = []): [string, string][] => {
      if (typeof value === 'string') return [[JSON.stringify(path), value]];
      if (Array.isArray(value)) return value.flatMap((one, index) => collect(one, [...path, index]));
      if (value !== null && typeof value === 'object') return Object.entries(value).flatMap(([k, v]) => collect(v, [...path, k]));
      return [];
    };
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const source = JSON.stringify(value, null, 1);
        const found: [string, string][] = [];
        eachString(source, (way, start, end) => found.push([JSON.stringify(pathOf(way)), unescapeContent(source.slice(start, end))]));
        expect(found).toEqual(collect(JSON.parse(source)));
      }),
    );
  });
});
