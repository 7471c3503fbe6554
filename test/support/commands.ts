import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from './cases.ts';
import { shell } from './programs.ts';

/** One command line of the catalogue, as the tool is given it. */
export interface Command {
  readonly tool: string;
  readonly args: readonly string[];
  /** Every text that has it: many controls ask for the same key. */
  readonly places: readonly string[];
  /** Only named in a sentence, without its arguments: that they are missing is no fault. */
  readonly named: boolean;
}

/** A text of the catalogue that holds commands. */
export interface Text {
  readonly place: string;
  readonly shell: string;
  readonly named: boolean;
}

interface Written {
  readonly id: string;
  readonly audit?: { readonly console?: string; readonly cli?: string };
  readonly remediation?: { readonly console?: string; readonly cli?: string };
  readonly backOut?: string;
}

/** Commands of sentences stand in backticks; everything else there in backticks is a name. */
const quoted = /`((?:aws|az|bq|docker|gcloud|gsutil|jq|kubectl) [^`]+)`/g;

/** The shell texts of all controls: command line parts whole, and each command quoted in a sentence. */
export function catalogueTexts(): Text[] {
  const texts: Text[] = [];
  for (const provider of ['aws', 'azure', 'gcp'])
    for (const file of readdirSync(join(root, 'controls', provider)).sort()) {
      const path = `controls/${provider}/${file}`;
      for (const control of parse(readFileSync(join(root, path), 'utf8')) as Written[]) {
        const at = (part: string): string => `${path} ${control.id} ${part}`;
        const { audit, remediation, backOut } = control;
        for (const [part, cli] of Object.entries({ 'audit.cli': audit?.cli, 'remediation.cli': remediation?.cli }))
          if (cli !== undefined) texts.push({ place: at(part), shell: cli, named: false });
        const sentences = { 'audit.console': audit?.console, 'remediation.console': remediation?.console, backOut };
        for (const [part, sentence] of Object.entries(sentences))
          for (const [, shell = ''] of (sentence ?? '').matchAll(quoted))
            texts.push({ place: at(part), shell, named: !shell.includes(' --') });
      }
    }
  return texts;
}

/**
 * Bash itself reads the texts, so quotes, continuations, loops and heredocs mean what they will mean to the reader. There is nothing
 * on its path: each command ends in the handler of unknown commands, which writes it down and prints one word for loops to go over.
 * Stages of a pipe run at the same time, so each writes to a file of its own process.
 */
const recorder = `
command_not_found_handle() {
  printf '%s\\0' "$#" "$@" >>"$exhibit_record/calls/\${exhibit_text##*/}-$BASHPID"
  printf 'eu-west-1\\n' 2>&-
  return 0
}
for exhibit_text in "$exhibit_record"/texts/*; do
  ( . "$exhibit_text" ) </dev/null >/dev/null 2>"\${exhibit_text/texts/errors}"
done
`;

/** A placeholder of the documentation; in shell text it would redirect, so it is marked before the shell sees it. */
const placeholder = /<([A-Za-z][\w -]*)>/g;
const marked = /@@([\w-]+?)@@/g;

/** All commands in texts, each once, and what the shell itself has to say against a text. */
export function commandsIn(texts: readonly Text[]): { commands: Command[]; faults: string[] } {
  const record = mkdtempSync(join(tmpdir(), 'exhibit-commands-'));
  for (const name of ['texts', 'errors', 'calls', 'nothing', 'work']) mkdirSync(join(record, name));
  for (const [index, text] of texts.entries()) {
    const name = String(index).padStart(5, '0');
    writeFileSync(
      join(record, 'texts', name),
      text.shell.replaceAll(placeholder, (_, word: string) => `@@${word.replaceAll(' ', '-')}@@`),
    );
  }
  spawnSync(pathOf('bash'), ['--noprofile', '--norc', '-c', recorder], {
    cwd: join(record, 'work'),
    env: { PATH: join(record, 'nothing'), exhibit_record: record },
  });

  const faults: string[] = [];
  for (const [index, text] of texts.entries()) {
    const said = readFileSync(join(record, 'errors', String(index).padStart(5, '0')), 'utf8').trim();
    if (said !== '') faults.push(`${text.place}: ${said}`);
  }
  const commands = new Map<string, Command>();
  const empty = new Set(texts);
  for (const name of readdirSync(join(record, 'calls')).sort()) {
    const text = texts[Number.parseInt(name)];
    const fields = readFileSync(join(record, 'calls', name), 'utf8').split('\0');
    for (let at = 0; at < fields.length - 1; at += Number(fields[at]) + 1) {
      const [tool = '', ...rest] = fields.slice(at + 1, at + 1 + Number(fields[at]));
      if (text === undefined || tool === '') throw new Error(`cannot read what was written down of ${name}`);
      empty.delete(text);
      const args = rest.map((arg) => arg.replaceAll(marked, (_, word: string) => valueOf(tool, word, rest)));
      const key = JSON.stringify([tool, args, text.named]);
      commands.set(key, { tool, args, named: text.named, places: [...(commands.get(key)?.places ?? []), text.place] });
    }
  }
  rmSync(record, { recursive: true, force: true });
  for (const { place } of empty) faults.push(`${place}: no command in it`);
  // Process ids have no order that lasts, and a sample of the same seed must be the same.
  const order = [...commands].sort(([a], [b]) => (a < b ? -1 : 1));
  return { commands: order.map(([, command]) => command), faults };
}

function pathOf(program: string): string {
  return shell(`command -v ${program}`).output.trim();
}

const account = '111122223333';
const arn = (service: string, rest: string): string => `arn:aws:${service}:eu-west-1:${account}:${rest}`;

/** What stands for placeholders where the tool looks at the value; any other gets a word. */
const awsValues: Readonly<Record<string, string>> = {
  arn: arn('elasticfilesystem', 'file-system/fs-0a1b2c3d'),
  config: 'InstanceType=r6g.large.search,InstanceCount=2',
  date: '2026-09-30',
  device: '/dev/sdf',
  'encrypted-snapshot': 'snap-0a1b2c3d4e5f60718',
  engine: 'aurora-postgresql',
  group: 'sg-0a1b2c3d4e5f60718',
  groups: 'sg-0a1b2c3d4e5f60718',
  new: arn('datasync', 'location/loc-0a1b2c3d4e5f60719'),
  'new-vault-arn': arn('backup', 'backup-vault:copies'),
  old: arn('datasync', 'location/loc-0a1b2c3d4e5f60718'),
  'principal-arn': `arn:aws:iam::${account}:role/reader`,
  'recovery-point': arn('backup', 'recovery-point:0a1b2c3d'),
  region: 'eu-west-1',
  role: `arn:aws:iam::${account}:role/copier`,
  'subnet-and-groups': `SubnetArn=${arn('ec2', 'subnet/subnet-0a1b2c3d')},SecurityGroupArns=${arn('ec2', 'security-group/sg-0a1b2c3d')}`,
  subnet: 'subnet-0a1b2c3d4e5f60718',
  'target-region': 'eu-central-1',
  task: arn('datasync', 'task/task-0a1b2c3d4e5f60718'),
  topic: arn('sns', 'payments'),
  type: 'gp3',
  url: `https://sqs.eu-west-1.amazonaws.com/${account}/payments`,
  version: 'OpenSearch_2.19',
  zone: 'eu-west-1a',
};

const googleValues: Readonly<Record<string, string>> = {
  'asset-name': '//storage.googleapis.com/payments',
  bucket: 'payments-data',
  date: '2027-01-01T00:00:00Z',
  file: 'secret.txt',
  key: 'projects/p1/locations/europe-west1/keyRings/ring-1/cryptoKeys/key-1',
  location: 'europe-west1',
  number: '123456789012',
  organization: '123456789012',
  principal: 'user:reader@example.com',
  project: 'project-one',
  region: 'europe-west1',
  role: 'roles/cloudkms.cryptoKeyDecrypter',
  table: 'table_1',
  dataset: 'dataset_1',
  version: '1',
  zone: 'europe-west1-b',
};

function valueOf(tool: string, name: string, args: readonly string[]): string {
  if (tool === 'aws' && name === 'class') return args[0] === 's3' ? 'STANDARD_IA' : 'db.r6g.large';
  if (tool === 'aws')
    return awsValues[name] ?? (/key|arn$/i.test(name) ? arn('kms', 'key/0a1b2c3d-1111-4222-8333-444455556666') : `${name}-1`);
  if (tool === 'gcloud' && args[0] === 'sql' && name === 'version') return 'POSTGRES_16';
  // Beside its ring a key has its short name, as the reader will have it.
  if (name === 'key' && args.some((arg) => arg.startsWith('--keyring'))) return 'key-1';
  return (tool === 'gcloud' || tool === 'bq' ? googleValues[name] : undefined) ?? `${name}-1`;
}

/** Files that commands name: those the tool looks into before it asks its cloud. */
const fileContents: Readonly<Record<string, string>> = {
  'plan.json': JSON.stringify({ BackupPlanName: 'plan', Rules: [{ RuleName: 'daily', TargetBackupVaultName: 'vault' }] }),
};

interface Tool {
  readonly args: (args: readonly string[], cloud: string) => string[];
  /** What the tool says when nothing is wrong but the cloud. */
  readonly taken: RegExp;
  /** What it says besides when a command that is only named lacks its arguments. */
  readonly incomplete: RegExp;
}

const answer = 'there is no cloud behind this address';
const nowhere = 'http://127.0.0.1:9';

/** How each tool is run so that it judges the command and reaches nothing. Programs that are not here are not run. */
export const tools: Readonly<Record<string, Tool>> = {
  aws: {
    args: (args) => [...args, '--endpoint-url', nowhere, '--cli-connect-timeout', '1'],
    taken: /Could not connect to the endpoint URL/,
    incomplete: /the following arguments are required/,
  },
  gcloud: {
    args: (args) => [...args],
    taken: new RegExp(`${answer}|you are not authorized to access it`),
    incomplete: /[Mm]ust be specified/,
  },
  bq: {
    // With a token the wrapper does not stop for an account before the flags are read, and the description of the interface comes
    // with the tool: it would be asked of the cloud otherwise.
    args: (args, cloud) => [
      '--oauth_access_token=none',
      `--api=${cloud}`,
      `--discovery_file=${join(realpathSync(pathOf('bq')), '../../platform/bq/discovery_next/bigquery.json')}`,
      ...args,
    ],
    taken: new RegExp(answer),
    incomplete: /Not enough positional args/,
  },
  kubectl: {
    args: (args) => [`--server=${nowhere}`, ...args],
    // What reads objects from its input finds none there.
    taken: /connection to the server .* was refused|no objects passed to|^\s*$/,
    incomplete: /must specify/,
  },
  // Without input there is nothing to fail on but the filter.
  jq: { args: (args) => ['-n', ...args], taken: /^(?!.*compile error)/s, incomplete: /^(?!.*error)/s },
};

/** The interfaces of Google Cloud that the catalogue's commands use, under the names that gcloud gives them. */
const googleInterfaces =
  'alloydb artifactregistry bigquery cloudasset cloudkms cloudresourcemanager container dataproc file iam pubsub secretmanager serviceusage spanner sql storage';

export interface Checker {
  /** What the tool has against a command; nothing when it went as far as asking its cloud. */
  refusal(command: Pick<Command, 'tool' | 'args' | 'named'>): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Runs the real tools without a cloud: what they ask of it is answered here, or goes to a port that nobody listens on. */
export async function openChecker(): Promise<Checker> {
  const directory = mkdtempSync(join(tmpdir(), 'exhibit-tools-'));
  for (const [name, content] of Object.entries({ 'secret.txt': 'x', token: 'none', ...fileContents }))
    writeFileSync(join(directory, name), content);
  // Refused rather than out of reach: tools try again when they cannot reach a cloud, and give up at once when it says no.
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(403, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { code: 403, message: answer, status: 'PERMISSION_DENIED', errors: [{ message: answer }] } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cloud = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const env: NodeJS.ProcessEnv = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS_|CLOUDSDK_(?!PYTHON)|GOOGLE_)/.test(name))),
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
    http_proxy: nowhere,
    https_proxy: nowhere,
    NO_PROXY: '127.0.0.1',
    no_proxy: '127.0.0.1',
    KUBECONFIG: '/dev/null',
    KUBECACHEDIR: join(directory, 'kubectl'),
    BIGQUERYRC: '/dev/null',
    AWS_ACCESS_KEY_ID: 'none',
    AWS_SECRET_ACCESS_KEY: 'none',
    AWS_REGION: 'eu-west-1',
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_MAX_ATTEMPTS: '1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_PAGER: '',
    CLOUDSDK_CONFIG: join(directory, 'gcloud'),
    CLOUDSDK_CORE_PROJECT: 'project-one',
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1',
    CLOUDSDK_CORE_CHECK_GCE_METADATA: 'false',
    CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: '1',
    CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: join(directory, 'token'),
    ...Object.fromEntries(
      googleInterfaces.split(' ').map((name) => [`CLOUDSDK_API_ENDPOINT_OVERRIDES_${name.toUpperCase()}`, `${cloud}/`]),
    ),
    // gcloud reads interface and version of this one back out of its own addresses.
    CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: `${cloud}/compute/v1/`,
  };

  const output = (program: string, args: readonly string[]): Promise<string | undefined> =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
      let text = '';
      const more = (chunk: Buffer): void => {
        text += chunk.toString();
      };
      child.stdout.on('data', more);
      child.stderr.on('data', more);
      child.on('error', reject);
      child.on('close', (_, signal) => {
        resolve(signal === null ? text : undefined);
      });
    });

  return {
    async refusal({ tool, args, named }) {
      const how = tools[tool];
      if (how === undefined) throw new Error(`no way to run ${tool}`);
      for (const arg of args) {
        const [, name] = /^fileb?:\/\/(.+)$/.exec(arg) ?? [];
        if (name !== undefined && !existsSync(join(directory, name))) writeFileSync(join(directory, name), '{}');
      }
      const text = await output(tool, how.args(args, cloud));
      if (text === undefined) return 'no answer in time';
      if (how.taken.test(text) || (named && how.incomplete.test(text))) return undefined;
      // Usage comes before the fault with some tools, all the valid choices after it.
      const fault = /^.*(?:error|unknown options|validation failed|bad value)/im.exec(text);
      return text
        .slice(fault?.index ?? 0)
        .trim()
        .slice(0, 600);
    },
    async close() {
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
