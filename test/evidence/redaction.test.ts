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

  test('a secret that is a key is replaced, and no two keys become one', async () => {
    const [one, two] = ['ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8', 'ghp_z1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'];
    const url = 'postgres://app:correcthorse@db';
    const tags = { [one]: 'x', [two]: 'y', [`sümme ${one}`]: { 'clé/~': 'token ghp_y1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8' }, [url]: 5 };
    for (const nested of [false, true]) {
      const row = { properties: 1, tags };
      const { bytes, redactions } = await redact(JSON.stringify({ Results: [nested ? JSON.stringify(row) : row] }));
      expect(text(bytes)).not.toMatch(/[a-z]1B2c3|correcthorse/);
      const [first] = (JSON.parse(text(bytes)) as { Results: (string | typeof row)[] }).Results;
      const stored = (typeof first === 'string' ? JSON.parse(first) : first) as typeof row;
      expect(Object.values(stored.tags).filter((value) => typeof value !== 'object')).toEqual(['x', 'y', 5]);
      const keys = Object.keys(stored.tags);
      expect(keys).toHaveLength(4);
      expect(keys[0]).toMatch(/^\[redacted by exhibit: secretlint-github, key \d+\]$/);
      expect(keys[2]).toMatch(/^sümme \[redacted by exhibit: /);
      expect(keys[3]).toMatch(/^\[redacted by exhibit: secretlint-database-connection-string, key \d+\]$/);
      expect(redactions).toHaveLength(5);
      expect(JSON.stringify(redactions)).not.toMatch(/[a-z]1B2c3|correcthorse/);
      expect(redactions.filter(({ within }) => within?.endsWith('#key'))).toHaveLength(4);
      // Every pointer leads somewhere in what is stored.
      const steps = (pointer: string): string[] =>
        pointer
          .split('/')
          .slice(1)
          .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
      const follow = (value: unknown, pointer: string): unknown =>
        steps(pointer).reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], value);
      for (const { pointer, within } of redactions) {
        const inside = within?.replace(/#key$/, '') ?? '';
        const value = follow(JSON.parse(text(bytes)), pointer);
        expect(value, `${pointer} ${inside}`).toBeDefined();
        if (inside !== '') expect(follow(JSON.parse(value as string), inside), inside).toBeDefined();
      }
      const commitments = redactions.map(({ commitment }) => commitment);
      expect(new Set(commitments).size).toBe(5);
    }
  });

  test('whatever the page holds, it stays parsable, JSON in its strings too, and only strings change', async () => {
    const token = 'ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8';
    const secret = fc.constantFrom(
      'postgres://app:correcthorse@db',
      `"${token}"`,
      `\\${token}\\`,
      'a "mongodb://u:correcthorse@h" \n b',
      '[prod] AccountKey=Zm9vYmFyYmF6cXV4cXV1eA==;x',
      '{"AccountKey=Zm9vYmFyYmF6cXV4cXV1eA=="',
      '-----BEGIN RSA PRIVATE KEY-----',
      '-----END RSA PRIVATE KEY-----',
      'é postgres://app:correcthorse@é',
    );
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        fc.string({ unit: 'binary' }),
        secret,
        fc.integer(),
        fc.constant(null),
        fc.boolean(),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.oneof(fc.constantFrom('value', 'environment', 'variables', 'userData', 'password', 'a'), secret), tie('value'), {
          maxKeys: 4,
        }),
        tie('value').map((inner) => JSON.stringify(inner)),
      ),
    })).value;
    const secretive = /redacted by exhibit|ghp_|correcthorse|AccountKey/;
    const shape = (value: unknown, strings = 0): unknown => {
      if (typeof value === 'string') {
        // Beyond three, JSON in a string is a text like any other; so is what a rule withholds as a whole.
        if (strings === 3 || !/^\s*[[{]/.test(value)) return 'string';
        try {
          return { json: shape(JSON.parse(value), strings + 1) };
        } catch {
          return 'string';
        }
      }
      if (Array.isArray(value)) return value.map((one) => shape(one, strings));
      if (value !== null && typeof value === 'object')
        return Object.entries(value as JsonObject).map(([k, v]) => [secretive.test(k) ? 'secret' : k, shape(v, strings)]);
      return value;
    };
    /** Whether what is stored has the shape of what was received, or a string in place of one that was JSON and was withheld whole. */
    const fits = (stored: unknown, received: unknown): boolean => {
      if (stored === 'string' && typeof received === 'object' && received !== null && 'json' in received) return true;
      if (Array.isArray(stored) && Array.isArray(received))
        return stored.length === received.length && stored.every((one, at) => fits(one, received[at]));
      if (typeof stored === 'object' && stored !== null && typeof received === 'object' && received !== null && !Array.isArray(received))
        return fits((stored as { json: unknown }).json, (received as { json: unknown }).json);
      return stored === received;
    };
    let withheldWhole = 0;
    await fc.assert(
      fc.asyncProperty(json, fc.boolean(), async (value, nested) => {
        const page = JSON.stringify(nested ? { Results: [JSON.stringify(value)] } : { value });
        const { bytes, redactions } = await redact(page);
        const [stored, received] = [shape(JSON.parse(text(bytes))), shape(JSON.parse(page))];
        expect(fits(stored, received), text(bytes)).toBe(true);
        // Only a field that is a secret by its name is withheld with the JSON in it.
        if (JSON.stringify(stored) !== JSON.stringify(received)) {
          withheldWhole += 1;
          expect(
            redactions.some(({ rule }) => ['environment-variable', 'user-data', 'password'].includes(rule)),
            text(bytes),
          ).toBe(true);
        }
        expect(text(bytes)).not.toMatch(/1B2c3D4e5|:correcthorse@/);
      }),
      { numRuns: 500 },
    );
    expect(withheldWhole).toBeLessThan(250);
  });

  test('a secret takes nothing of the record that follows with it', async () => {
    const one = {
      tags: { db: 'postgres://app:correcthorse@db.internal/x', tier: 'prod' },
      properties: { keyUri: 'https://v.example/keys/k' },
    };
    const { bytes } = await redact(JSON.stringify({ data: [one, { name: 'next' }] }));
    const [first, next] = (JSON.parse(text(bytes)) as { data: [typeof one, { name: string }] }).data;
    expect(first.tags.db).not.toContain('correcthorse');
    expect([first.tags.tier, first.properties, next]).toEqual(['prod', one.properties, { name: 'next' }]);
  });

  test('a secret in a row of AWS takes nothing of the row with it', async () => {
    const row = { tags: [{ key: 'db', value: 'postgres://app:correcthorse@db.internal/x' }], configuration: { kmsKeyId: 'arn:aws:kms:x' } };
    const policy = { Statement: [{ Sid: 'mongodb://root:correcthorse@db/y', Effect: 'Deny' }] };
    const page = JSON.stringify({ Results: [JSON.stringify({ ...row, policyText: JSON.stringify(policy) })] });
    const { bytes } = await redact(page);
    expect(text(bytes)).not.toContain('correcthorse');
    const [stored] = (JSON.parse(text(bytes)) as { Results: string[] }).Results;
    const kept = JSON.parse(stored ?? '') as typeof row & { policyText: string };
    expect(kept.configuration).toEqual(row.configuration);
    expect(kept.tags[0]?.key).toBe('db');
    expect((JSON.parse(kept.policyText) as typeof policy).Statement[0]?.Effect).toBe('Deny');
  });

  test('half of a letter is no blank: a secret with `à` in it is taken whole, and no letter is cut in two', async () => {
    const page = { url: 'amqp://user:pàsswordà@host/db', sas: 'x;AccountKey=aaaaaaaaaaaaàbbbbbbbb;y', own: 'amqp://a:bcd\u00a0e@host' };
    const { bytes, redactions } = await redact(JSON.stringify(page));
    expect(Buffer.from(text(bytes))).toEqual(Buffer.from(bytes));
    expect(text(bytes)).not.toMatch(/ssword|bbbb|aaaa|bcd/);
    expect(redactions).toHaveLength(3);
  });

  test('a key with a slash or an asterisk is one step, and what calls itself withheld is not', async () => {
    const settings = { 'A/B': 'hunter-one', '*': 'hunter-two', 'C*': 'hunter-three', D: '[redacted by exhibit: hunter-four]' };
    const { bytes, redactions } = await redact(JSON.stringify({ a: { appSettings: settings }, b: { connectionStrings: settings } }));
    expect(text(bytes)).not.toContain('hunter');
    expect(redactions).toHaveLength(8);
  });

  test('the ends of a private key in the tags of two resources take no keys that stand between', async () => {
    const properties = {
      accessPolicyOfTheVault: 'open', minimumTlsVersion: 'TLS1_0', allowBlobPublicAccess: true, publicNetworkAccess: 'Enabled',
      networkAclsBypass: 'x', encryptionKeySource: 'k', supportsHttpsTrafficOnly: false,
    }; // prettier-ignore
    const page = {
      data: [
        { tags: { '-----BEGIN RSA PRIVATE KEY-----': 'x', MIIEowIBAAK: 'x' }, properties },
        { tags: { '-----END RSA PRIVATE KEY-----': 'y' }, properties },
      ],
    };
    expect(text((await redact(JSON.stringify(page))).bytes)).toBe(JSON.stringify(page));
  });

  test('no page is kept in memory for the sake of a key in it', async () => {
    const before = process.memoryUsage().heapUsed;
    for (let n = 0; n < 200; n += 1) await redact(`{"a key of this page ${n}":"x","${'k'.repeat(300)}${n}":"${'y'.repeat(1_000_000)}"}`);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(150_000_000);
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
