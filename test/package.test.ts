import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { repository } from './support/command.ts';

/** What `npm pack` puts into the tarball, but for the build. */
const packed = (): string[] => {
  const done = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: repository, encoding: 'utf8' });
  const report = JSON.parse(done.stdout) as { files: { path: string }[] }[] | Record<string, { files: { path: string }[] }>;
  return Object.values(report).flatMap(({ files }) => files.map(({ path }) => path));
};

test('the package holds what its documentation names', () => {
  expect(packed()).toEqual(
    expect.arrayContaining([
      'bin/exhibit.mjs',
      'controls.yaml',
      'controls.schema.json',
      'exhibit.schema.json',
      'docs/permissions/aws-policy.json',
      'deploy/README.md',
    ]),
  );
});
