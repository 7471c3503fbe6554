import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fieldRule, ruleOfPath, secretParts } from '../../src/evidence/redaction/rules.ts';

const keys = [
  'Environment', 'variables', 'environmentVariables', 'env', 'value', 'secureValue', 'userData', 'custom_data', 'appSettings', 'app_settings',
  'connectionStrings', 'primaryConnectionString', 'metadata', 'items', 'commonInstanceMetadata', 'password', 'adminPassword',
  'administratorLoginPassword', 'masterUserPassword', 'master_user_password', 'rootPassword', 'secretString', 'clientSecret', 'client_secret',
  'sharedSecret', 'accountKey', 'sharedAccessKey', 'primaryKey', 'secondaryKey', 'primaryMasterKey', 'secondaryMasterKey', 'privateKeyData',
  'authToken', 'auth_token', 'rawKey', 'rsaEncryptedKey', 'name', 'a/password', 'environment/variables', '*', '',
]; // prettier-ignore
const step = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...keys) },
  { weight: 3, arbitrary: fc.nat(3) },
  { weight: 1, arbitrary: fc.string() },
);

describe('redaction by field', () => {
  test('what is remembered of a way is the rule of its path', () => {
    const named = new Set<string>();
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
        const way = steps.map((one) => ({ array: typeof one === 'number', step: one }));
        const path = (name: (key: string) => string): string =>
          steps
            .slice(-4)
            .map((one) => (typeof one === 'number' ? '/*' : `/${name(one.toLowerCase())}`))
            .join('');
        const asOneStep = (key: string): string => key.replace(/[/*]/g, '-');
        const rule = (ruleOfPath(path((key) => key)) ?? ruleOfPath(path(asOneStep)))?.id ?? null;
        if (rule !== null) named.add(rule);
        expect(fieldRule(way, 'a value that is no setting')).toBe(rule);
      }),
      { numRuns: 20_000 },
    );
    expect(named.size).toBeGreaterThan(5);
  });

  test('short values and those without a sign of a secret are left, others are looked through', () => {
    expect(secretParts('Pwd=abc')).toEqual([]);
    expect(secretParts('plain text, nothing in it')).toEqual([]);
    expect(secretParts('Pwd=abcd')).toEqual([{ rule: 'connection-string', start: 4, end: 8 }]);
    expect(secretParts('amqp://user:pass@host')).toEqual([{ rule: 'url-credentials', start: 12, end: 16 }]);
  });
});
