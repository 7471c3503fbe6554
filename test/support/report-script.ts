import { render } from '../../src/render/index.ts';
import type { ReportFormat } from '../../src/render/index.ts';

/** Renders a run directory in a process of its own, so that a test can choose its time zone and locale. */
const [runDirectory = '', ...formats] = process.argv.slice(2);
await render({
  runDirectory,
  signing: { fingerprint: 'a3'.repeat(32), subject: 'CN=Test root', algorithm: 'ECDSA P-256 with SHA-256' },
  log: (message) => process.stderr.write(`${message}\n`),
  formats: formats as ReportFormat[],
});
