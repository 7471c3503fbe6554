import type { Assessment, Finding, Observation, Status, StoreAccess } from '../model/index.ts';
import { codePoint, visible } from '../text/visible.ts';
import { pdfCoverage } from './fonts.ts';
import { wordOf } from './charts.ts';
import { isNonPassing } from './observations.ts';
import { byteSize, cell, grouped, instant, plural } from './text.ts';
import { coverView, limitationsView, methodView, scopeView } from './view-front.ts';
import type { SigningInfo } from './view-front.ts';
import { summaryView } from './view-summary.ts';
import { catalogueOrigin } from './view-choices.ts';
import { anchorOf, controlView, rowView, selectRows } from './view-control.ts';
import { accessView, exceptionsView, selectStores } from './view-people.ts';
import { coverageView, LISTED, reconciliationView } from './view-population.ts';
import { viewSchema } from './view-schema.ts';
import type { RowView } from './view-rows.ts';
import type { View } from './view-schema.ts';

/** Rows that the document itself lists. Beyond, each control shows its worst and the register (PDF) or explorer (HTML) holds all. */
export const INLINE_TOTAL = 2500;
export const INLINE_EACH = 25;

export interface ViewOptions {
  format: 'pdf' | 'html';
  /** Page numbers by anchor, from an earlier pass; empty on the first. */
  pages?: ReadonlyMap<string, string>;
}

/** Everything streamed that the view needs, gathered once and bounded whatever the size of the estate. */
export interface Gathered {
  rows: ReadonlyMap<string, { rows: RowView[]; nonPassing: number }>;
  stores: ReturnType<typeof selectStores>;
  /** Whether some control has more non-passing observations than the document lists. */
  register: boolean;
}

/** Reads the observation and access streams once. Memory is bounded by the rows that the document lists. */
export async function gather(
  assessment: Assessment,
  observations: (finding: Finding) => AsyncIterable<Observation>,
  critical: AsyncIterable<StoreAccess>,
  limits: { total: number; each: number } = { total: INLINE_TOTAL, each: INLINE_EACH },
): Promise<Gathered> {
  const expected = assessment.findings.reduce(
    (sum, { counts, gaps }) => sum + counts.fail + counts.error + counts.unknown + counts.notchecked + gaps,
    0,
  );
  const limit = expected <= limits.total ? limits.total : limits.each;
  const rows = new Map<string, { rows: RowView[]; nonPassing: number }>();
  let register = false;
  for (const finding of assessment.findings) {
    const selected = selectRows(limit);
    let nonPassing = 0;
    for await (const observation of observations(finding)) {
      if (isNonPassing(observation.status)) nonPassing += 1;
      selected.add(observation);
    }
    if (nonPassing > limit) register = true;
    const needed = finding.counts.fail + finding.counts.error + finding.counts.unknown + finding.counts.notchecked;
    if (nonPassing < needed)
      throw new Error(
        `${finding.control.id}: assessment.json counts ${needed} non-passing observations, observations.ndjson holds ${nonPassing}; assess again`,
      );
    rows.set(finding.control.id, {
      rows: selected.rows().map((observation) => rowView(observation, finding.control.checks.length)),
      nonPassing,
    });
  }
  const stores = selectStores();
  for await (const store of critical) stores.add(store);
  return { rows, stores, register };
}

/** The view model of both reports: a pure function of its arguments, validated. Throws when anything is missing. */
export function buildView(assessment: Assessment, gathered: Gathered, signing: SigningInfo | null, options: ViewOptions): View {
  const pages = options.pages ?? new Map<string, string>();
  const controls = assessment.findings.map((finding, index) => {
    const placed = gathered.rows.get(finding.control.id);
    if (placed === undefined) throw new Error(`no observations were gathered for ${finding.control.id}`);
    return controlView(finding, index, { ...placed, register: true });
  });
  const view: View = {
    pdf: options.format === 'pdf',
    html: options.format === 'html',
    lang: 'en',
    title: cell(`${assessment.engagement.title}: evidence pack`, 200),
    description: cell(`Evidence pack for ${assessment.engagement.entity}`, 200),
    cover: coverView(assessment, signing),
    contents: contents(assessment, gathered.register && options.format === 'pdf', options, pages),
    scope: scopeView(assessment),
    method: methodView(assessment),
    limitations: limitationsView(assessment),
    summary: summaryView(assessment, pages),
    controlsIntro: controlsIntro(assessment, options.format),
    controls,
    access: accessView(assessment, gathered.stores),
    exceptions: exceptionsView(assessment),
    coverage: coverageView(assessment),
    reconciliation: reconciliationView(assessment),
    evidence: evidenceView(assessment),
    versions: versionsView(assessment),
    redactions: { count: plural(assessment.redactions, 'value'), none: assessment.redactions === 0 },
    signature: signatureView(assessment, signing),
    register: gathered.register && options.format === 'pdf',
    // What may not be cut stands first: a line that is too long loses its end.
    running: [assessment.engagement.classification, assessment.engagement.entity]
      .flatMap((text) => (text === undefined ? [] : [cell(text, 120)]))
      .join(' · '),
    footer: cell(`Run ${assessment.runId} · ${assessment.engagement.id} · ${assessment.engagement.entity}`, 200),
  };
  return viewSchema.parse(options.format === 'pdf' ? forPdf(view) : view);
}

export const SECTIONS = {
  scope: 'Scope and period',
  method: 'Method and score',
  limitations: 'Limitations',
  summary: 'Executive summary',
  controls: 'Controls',
  find: 'All observations',
  access: 'Who can read critical data',
  exceptions: 'Exceptions and attested answers',
  coverage: 'Accounts covered and gaps',
  reconciliation: 'Population reconciliation',
  evidence: 'Evidence index',
  versions: 'Tool and catalogue',
  signature: 'Signature and verification',
  register: 'Register of non-passing resources',
} as const;

function contents(assessment: Assessment, register: boolean, options: ViewOptions, pages: ReadonlyMap<string, string>): View['contents'] {
  const entry = (title: string, anchor: string, depth: number, id = '', status: Status | null = null): View['contents'][number] => ({
    id,
    title,
    word: status === null ? '' : wordOf(status),
    anchor,
    depth,
    page: pages.get(anchor) ?? (options.format === 'pdf' ? '000' : ''),
    status,
  });
  const section = (key: keyof typeof SECTIONS): View['contents'][number] => entry(SECTIONS[key], key, 0);
  return [
    section('summary'),
    ...(options.format === 'html' ? [section('find')] : []),
    section('scope'),
    section('method'),
    section('limitations'),
    section('controls'),
    ...assessment.findings.map(({ control, status }) =>
      entry(cell(control.title, 140), anchorOf('control', control.id), 1, visible(control.id), status),
    ),
    section('access'),
    section('exceptions'),
    section('coverage'),
    section('reconciliation'),
    section('evidence'),
    section('versions'),
    section('signature'),
    ...(register ? [section('register')] : []),
  ];
}

function controlsIntro(assessment: Assessment, format: 'pdf' | 'html'): string {
  const { resources } = assessment.summary;
  const listed = 'Every resource that does not pass is listed with the reason, the value observed and where the evidence lies.';
  return format === 'pdf'
    ? `${listed} The ${plural(resources.pass, 'passing observation')} ${resources.pass === 1 ? 'is' : 'are'} counted here and listed in full in report.html and in results/observations.csv.`
    : `${listed} Passing ones are in the list of all observations, and in results/observations.csv.`;
}

function evidenceView(assessment: Assessment): View['evidence'] {
  const { queries } = assessment;
  const total = (of: (query: (typeof queries)[number]) => number): number => queries.reduce((sum, query) => sum + of(query), 0);
  const { places, texts } = placesOf(queries.slice(0, LISTED));
  return {
    continued: false,
    figures: [
      { value: grouped(queries.length), label: 'Queries', tone: 'plain' },
      { value: grouped(total((query) => query.pages)), label: 'Pages of response', tone: 'plain' },
      { value: grouped(total((query) => query.items)), label: 'Records', tone: 'plain' },
      { value: byteSize(total((query) => query.bytes)), label: 'As received', tone: 'plain' },
    ],
    places,
    texts,
    more:
      queries.length > LISTED
        ? `${plural(queries.length - LISTED, 'more query', 'more queries')} not printed here: all are in results/assessment.json (.queries) and in manifest-sha256.txt.`
        : null,
  };
}

/** Queries below the directory, endpoint and identity that they share; their texts are numbered, and said once. */
function placesOf(queries: Assessment['queries']): Pick<View['evidence'], 'places' | 'texts'> {
  const places = new Map<string, View['evidence']['places'][number]>();
  const texts = new Map<string, string>();
  for (const query of queries) {
    const cut = query.directory.lastIndexOf('/') + 1;
    const key = JSON.stringify([query.directory.slice(0, cut), query.endpoint, query.identity]);
    const place = places.get(key) ?? {
      directory: cell(query.directory.slice(0, cut), 300),
      endpoint: cell(query.endpoint, 200),
      identity: cell(query.identity, 200),
      queries: [],
    };
    places.set(key, place);
    if (query.text !== null && !texts.has(query.text)) texts.set(query.text, String(texts.size + 1));
    place.queries.push({
      name: cell(query.directory.slice(cut), 200),
      operation: cell(query.operation, 120),
      text: query.text === null ? '' : (texts.get(query.text) ?? ''),
      status: query.status === 'complete' ? 'Complete' : cell(query.status.charAt(0).toUpperCase() + query.status.slice(1), 40),
      whole: query.status === 'complete',
      pages: grouped(query.pages),
      items: grouped(query.items),
      bytes: byteSize(query.bytes),
      when: query.endedAt === null ? `${instant(query.startedAt)}, not finished` : instant(query.endedAt),
      sha256: visible(query.sha256),
    });
  }
  return { places: [...places.values()], texts: [...texts].map(([text, number]) => ({ number, text: cell(text, 1200) })) };
}

function versionsView(assessment: Assessment): View['versions'] {
  const { tool, catalogue } = assessment;
  return {
    facts: [
      { name: 'Tool', value: visible(`${tool.name} ${tool.version}`) },
      { name: 'Catalogue', value: cell(`${catalogue.name} ${catalogue.version}`, 200) },
      { name: 'Origin of the catalogue', value: catalogueOrigin(assessment) },
      { name: 'Catalogue SHA-256', value: visible(catalogue.sha256) },
      { name: 'Result format', value: `assessment ${assessment.version}` },
    ],
    files: catalogue.files.map((file) => ({ file: cell(file.file, 200), sha256: visible(file.sha256) })),
  };
}

function signatureView(assessment: Assessment, signing: SigningInfo | null): View['signature'] {
  const hex = signing?.fingerprint.replaceAll(':', '').toLowerCase() ?? '';
  return {
    signed: signing !== null,
    fingerprint: visible(hex),
    fingerprintLines: /^[0-9a-f]{64}$/.test(hex)
      ? [hex.slice(0, 32), hex.slice(32)].map((half) => (half.toUpperCase().match(/../g) ?? []).join(':'))
      : hex === ''
        ? []
        : [visible(hex)],
    subject: signing === null ? '' : cell(signing.subject, 200),
    algorithm: signing === null ? '' : cell(signing.algorithm, 120),
    digest: visible(assessment.evidenceDigest),
  };
}

/** Spells out what the embedded fonts cannot draw, in every text of a view. */
export function forPdf<T>(value: T): T {
  const coverage = pdfCoverage();
  const spell = (text: string): string => {
    let result = '';
    for (const character of text)
      result += character === '\n' || coverage.has(character.codePointAt(0) ?? 0) ? character : codePoint(character);
    return result;
  };
  const walk = (part: unknown): unknown => {
    if (typeof part === 'string') return spell(part);
    if (Array.isArray(part)) return part.map(walk);
    if (typeof part === 'object' && part !== null)
      return Object.fromEntries(Object.entries(part).map(([key, member]) => [key, walk(member)]));
    return part;
  };
  return walk(value) as T;
}
