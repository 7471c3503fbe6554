import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../support/cases.ts';
import { catalogueTexts, commandsIn, openChecker, tools } from '../support/commands.ts';
import type { Checker, Command } from '../support/commands.ts';
import { sampled } from '../support/damage.ts';
import { has, ran } from '../support/programs.ts';

/**
 * An engineer pastes these commands while mending something: each must be one that the tool itself takes. By default a sample;
 * COMMANDS=all runs every one, which takes some minutes.
 */
const all = process.env['COMMANDS'] === 'all';
const seed = process.env['SEED'] ?? '20260930';
const samples: Readonly<Record<string, number>> = { aws: 10, gcloud: 7, bq: 1, kubectl: 2, jq: 20 };

/** Programs that are not run here: another cloud's tool that cannot be tried without its cloud, and plain helpers. */
const notRun = 'awk az azcopy base64 cat date docker gcrane grep hadoop pg_dump pg_restore rsync wc'.split(' ');

/** The handler that writes the commands down came with version 4. */
const shellReads = ran('bash', ['-c', '((BASH_VERSINFO[0] >= 4))']).status === 0;
const shapes = ran('python3', ['-c', 'import botocore, jmespath']).status === 0;

/** What is wrong with the fields of --query, one entry for each command. */
async function queryFaults(commands: readonly Pick<Command, 'tool' | 'args'>[]): Promise<(string | null)[]> {
  const running = promisify(execFile)('python3', [join(root, 'test/support/commands-aws.py')]);
  running.child.stdin?.end(JSON.stringify(commands));
  const { stdout } = await running;
  return JSON.parse(stdout) as (string | null)[];
}

function line(command: Pick<Command, 'tool' | 'args'>): string {
  return [command.tool, ...command.args].join(' ');
}

/** The tools start slowly, each on one core: tests wait for them together, a few at a time. */
const limit = pLimit(Math.min(3, availableParallelism()));
const patience = all ? 1_800_000 : 180_000;

let commands: Command[] = [];
let faults: string[] = [];
let checker: Checker;

beforeAll(async () => {
  if (shellReads) ({ commands, faults } = commandsIn(catalogueTexts()));
  checker = await openChecker();
});
afterAll(() => checker.close());

describe.skipIf(!shellReads)('the command lines of the catalogue', { concurrent: true, timeout: patience }, () => {
  test('the shell reads every text, and finds commands in it', () => {
    expect(faults).toEqual([]);
    expect(commands.length).toBeGreaterThan(300);
  });

  test('every program in them is run here, or known not to be', () => {
    const unknown = commands.filter(({ tool }) => tools[tool] === undefined && !notRun.includes(tool));
    expect(unknown.map((command) => `${line(command)} (${command.places.join('; ')})`)).toEqual([]);
  });

  test.skipIf(!shapes)('each --query compiles, and names fields that the AWS operation answers with', async () => {
    const asking = commands.filter(({ tool, args }) => ['aws', 'az'].includes(tool) && args.includes('--query'));
    const found = (await limit(() => queryFaults(asking))).flatMap((fault, index) =>
      fault === null ? [] : [`${asking[index]?.places.join('; ') ?? ''}: ${fault}`],
    );
    expect(found).toEqual([]);
    expect(asking.length).toBeGreaterThan(60);
  });

  describe.each(Object.keys(tools))('%s', (tool) => {
    test.skipIf(!has(tool))(all ? 'takes every command' : 'takes a sample of the commands', async () => {
      const own = commands.filter((command) => command.tool === tool);
      const chosen = all ? own : sampled(own, samples[tool] ?? 1, seed);
      const refused = await Promise.all(
        chosen.map((command) =>
          limit(async () => {
            const said = await checker.refusal(command);
            return said === undefined ? [] : [`${command.places.join('; ')}: ${line(command)}\n${said}`];
          }),
        ),
      );
      expect(refused.flat()).toEqual([]);
      expect(chosen.length).toBeGreaterThan(0);
    });
  });
});

/** Commands with one thing wrong: if these were taken, the sweep above would say nothing. */
const wrong: readonly (readonly [command: string, why: RegExp])[] = [
  ['aws kms list-keys --made-up 1', /Unknown options: --made-up/],
  ['aws kms list-made-up', /Invalid choice/],
  ['aws efs create-mount-target --file-system-id fs-0a1b2c3d --subnet-id short', /Invalid length for parameter SubnetId/],
  ['aws kms list-keys --query Keys[', /Bad value for --query/],
  ['gcloud kms keys list --keyring=r --location=l --made-up=1', /unrecognized arguments: --made-up/],
  ['gcloud kms keys made-up', /Invalid choice: 'made-up'/],
  ['gcloud kms keys list --keyring=r', /Failed to find attribute \[location\]/],
  ['bq show --made_up=1 p:d', /Unknown command line flag 'made_up'/],
  ['kubectl get secrets --made-up', /unknown flag: --made-up/],
  ['jq .Statement[', /compile error/],
];

describe('what must be refused', { concurrent: true, timeout: patience }, () => {
  describe.each(Object.keys(tools))('by %s', (tool) => {
    test.skipIf(!has(tool))('each wrong command', async () => {
      const own = wrong.filter(([command]) => command.startsWith(`${tool} `));
      await Promise.all(
        own.map(([command, why]) =>
          limit(async () => {
            expect(await checker.refusal({ tool, args: command.split(' ').slice(1), named: false }), command).toMatch(why);
          }),
        ),
      );
      expect(own.length).toBeGreaterThan(0);
    });
  });

  test.skipIf(!has('aws'))('only a command that is named in a sentence may lack its arguments', async () => {
    const put = { tool: 'aws', args: ['kms', 'put-key-policy'] };
    const said = await Promise.all([true, false].map((named) => limit(() => checker.refusal({ ...put, named }))));
    expect(said).toEqual([undefined, expect.stringContaining('arguments are required')]);
  });

  test.skipIf(!shapes)('fields that an operation does not answer with', async () => {
    const queries: readonly (readonly [operation: string, query: string, fault: RegExp | null])[] = [
      [
        'db-instances',
        "DBInstances[?Engine=='a'].{Id:DBInstanceIdentifier,Zone:DBSubnetGroup.Subnets[].SubnetAvailabilityZone.Name}",
        null,
      ],
      ['db-instances', 'DBInstances[].MadeUp', /no `MadeUp`/],
      ['db-instances', 'DBInstances[].{Id:DBInstanceIdentifier,Key:MadeUp}', /no `MadeUp`/],
      ['db-instances', "DBInstances[?MadeUp=='a'].Engine", /no `MadeUp`/],
      ['db-instances', 'sort_by(DBInstances,&MadeUp)[].Engine', /no `MadeUp`/],
      ['db-instances', 'DBInstances.Engine', /asked of a list/],
      ['db-instances', 'DBInstances[].Engine.Name', /asked of a scalar/],
      ['made-up', 'DBInstances', /no operation describe-made-up of rds/],
    ];
    const asking = queries.map(([operation, query]) => ({ tool: 'aws', args: ['rds', `describe-${operation}`, '--query', query] }));
    const found = await limit(() => queryFaults(asking));
    for (const [index, [, query, fault]] of queries.entries()) {
      if (fault === null) expect(found[index], query).toBeNull();
      else expect(found[index], query).toMatch(fault);
    }
  });
});

test.skipIf(!shellReads)('commands are found in continuations, quotes, loops, pipes and heredocs', () => {
  const shell = `
# aws is not called here
for key in $(aws kms list-keys --query 'Keys[].KeyId' --output text); do
  aws kms describe-key --key-id "$key" \\
    --query 'KeyMetadata.{
      Id:KeyId}'
done | jq '.[]
  | .Id'   # aws nor here
cat > policy.json <<'JSON'
{"aws":"<not run>"}
JSON
aws kms tag-resource --key-id "" --tags TagKey=a,TagValue=<date>
gcloud kms keys describe <key> --keyring=<ring> --location=<location>
gcloud kms keys describe <key>
`;
  const { commands, faults } = commandsIn([
    { place: 'here', shell, named: false },
    { place: 'there', shell: 'aws kms list-keys --query "Keys', named: false },
    { place: 'nowhere', shell: '# aws kms list-keys', named: false },
  ]);
  expect(commands.map(({ tool, args }) => [tool, ...args])).toEqual([
    ['aws', 'kms', 'describe-key', '--key-id', 'eu-west-1', '--query', 'KeyMetadata.{\n      Id:KeyId}'],
    ['aws', 'kms', 'list-keys', '--query', 'Keys[].KeyId', '--output', 'text'],
    ['aws', 'kms', 'tag-resource', '--key-id', '', '--tags', 'TagKey=a,TagValue=2026-09-30'],
    ['cat'],
    ['gcloud', 'kms', 'keys', 'describe', 'key-1', '--keyring=ring-1', '--location=europe-west1'],
    ['gcloud', 'kms', 'keys', 'describe', 'projects/p1/locations/europe-west1/keyRings/ring-1/cryptoKeys/key-1'],
    ['jq', '.[]\n  | .Id'],
  ]);
  expect(faults[0]).toMatch(/^there: .*unexpected EOF/);
  expect(faults.slice(1).map((fault) => fault.split(':')[0])).toEqual(['there', 'nowhere']);
});
