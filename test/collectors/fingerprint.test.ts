import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { fingerprint } from '../../src/collectors/fingerprint.ts';

describe('fingerprints of ids', () => {
  test('tell apart a million ids that differ in little', () => {
    const seen = new Set<number>();
    let ids = 0;
    const add = (id: string): void => {
      seen.add(fingerprint(id));
      ids += 1;
    };
    for (let n = 0; n < 400_000; n += 1) add(`arn:aws:s3:::bucket-${n}`);
    for (let n = 0; n < 400_000; n += 1) add(`//compute.googleapis.com/projects/p/zones/z/disks/${(n * 7919).toString(36)}`);
    // Pairs of characters that a weak mixing takes for one another.
    for (let a = 33; a < 433; a += 1) for (let b = 33; b < 533; b += 1) add(`/subscriptions/${String.fromCharCode(a, b)}`);
    expect(ids).toBe(1_000_000);
    expect(seen.size).toBe(ids);
  });

  test('are whole numbers that a double holds exactly, the same every time', () => {
    const many = Array.from({ length: 50_000 }, (_, n) => fingerprint(`id-${n}`));
    expect(many.every((one) => Number.isSafeInteger(one) && one >= 0)).toBe(true);
    // All 53 bits are used: the largest of so many is near the top.
    expect(Math.max(...many)).toBeGreaterThan(2 ** 53 * 0.999);
    expect(Math.min(...many)).toBeLessThan(2 ** 53 * 0.001);
    expect(fingerprint('id-1')).toBe(many[1]);
    expect(fingerprint('')).toBe(fingerprint(''));
  });

  test('see the order and the length of what they are made of', () => {
    for (const [a, b] of [
      ['ab', 'ba'],
      ['a', 'a\u0000'],
      ['\u0000', '\u0000\u0000'],
      ['é', 'e\u0301'],
    ] as const)
      expect(fingerprint(a)).not.toBe(fingerprint(b));
  });

  test('differ from process to process: names that looked alike in one do not in another', () => {
    const module = new URL('../../src/collectors/fingerprint.ts', import.meta.url).href;
    const script = `const { fingerprint } = await import(${JSON.stringify(module)}); console.log(fingerprint('id-1'))`;
    const elsewhere = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(Number(elsewhere)).not.toBe(fingerprint('id-1'));
    // Found in ten seconds while every process began alike.
    const bucket = '111122223333/eu-west-1 arn:aws:s3:::audit-';
    expect(fingerprint(`${bucket}1k5hdjtmry`)).not.toBe(fingerprint(`${bucket}sahl6vmvt91`));
  });
});
