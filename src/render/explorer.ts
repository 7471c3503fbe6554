import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import type { Assessment, Finding, Observation } from '../model/index.ts';
import { statuses } from '../model/index.ts';
import { visible } from '../text/visible.ts';
import { wordOf } from './charts.ts';
import { cell, citationCommand, citationText, clip, instant, jsonText } from './text.ts';

const deflated = promisify(deflate);

/** Observations of an index block, which is read as a whole, and of a detail block, which is read when one of its rows is opened. */
const INDEX_ROWS = 5000;
const DETAIL_ROWS = 500;

/** A column whose values repeat: distinct values, and one index into them a row. */
interface Dictionary {
  values: string[];
  rows: number[];
}

interface IndexBlock {
  control: number[];
  status: number[];
  type: Dictionary;
  account: Dictionary;
  location: Dictionary;
  provider: Dictionary;
  check: Dictionary;
  reason: Dictionary;
  waiver: Dictionary;
  name: string[];
  uid: string[];
}

/** Per observation: id, captured, method, leaves, citations. */
type Detail = [string, string, string, [string, string, string, string | null, string, string][], [string, string, string, string][]];

function dictionary(): { column: Dictionary; add: (value: string) => void } {
  const column: Dictionary = { values: [], rows: [] };
  const known = new Map<string, number>();
  return {
    column,
    add: (value) => {
      let at = known.get(value);
      if (at === undefined) {
        at = column.values.length;
        column.values.push(value);
        known.set(value, at);
      }
      column.rows.push(at);
    },
  };
}

function detailOf(observation: Observation): Detail {
  return [
    observation.id,
    observation.subject.capturedAt === null ? '' : instant(observation.subject.capturedAt),
    observation.method,
    observation.leaves.map((leaf) => [
      cell(leaf.path, 400),
      cell(leaf.operator, 60),
      visible(clip(jsonText(leaf.expected), 600)),
      leaf.observed === undefined ? null : visible(clip(jsonText(leaf.observed), 4000)),
      leaf.outcome,
      leaf.because === undefined ? '' : cell(leaf.because, 120),
    ]),
    observation.citations.map((citation) => [
      cell(citation.role, 80),
      cell(citation.uid, 1000),
      clip(citationText(citation), 1000),
      citationCommand(citation) ?? '',
    ]),
  ];
}

async function block(name: string, value: unknown): Promise<string> {
  const packed = await deflated(Buffer.from(JSON.stringify(value)), { level: 6 });
  return `<script type="text/plain" class="${name}">${packed.toString('base64')}</script>\n`;
}

/**
 * The explorer's data as script blocks of compressed columns, one after another; memory holds one block at a time.
 * Nothing in them can end a script element: they are base64, and the header has its `<` escaped.
 */
export async function* explorerBlocks(
  assessment: Assessment,
  observations: AsyncIterable<{ finding: Finding; observation: Observation }>,
): AsyncGenerator<string> {
  const controls = new Map(assessment.findings.map((finding, index) => [finding.control.id, index]));
  let index = emptyIndex();
  let details: Detail[] = [];
  let rows = 0;
  for await (const { observation } of observations) {
    index.add(observation, controls.get(observation.control) ?? -1);
    details.push(detailOf(observation));
    rows += 1;
    if (index.block.uid.length === INDEX_ROWS) {
      yield await block('x-index', index.block);
      index = emptyIndex();
    }
    if (details.length === DETAIL_ROWS) {
      yield await block('x-detail', details);
      details = [];
    }
  }
  if (index.block.uid.length > 0) yield await block('x-index', index.block);
  if (details.length > 0) yield await block('x-detail', details);
  const header = {
    rows,
    detailRows: DETAIL_ROWS,
    statuses: statuses.map((status) => [status, wordOf(status)]),
    controls: assessment.findings.map(({ control }) => [visible(control.id), cell(control.title, 240)]),
    runId: cell(assessment.runId, 80),
  };
  yield `<script type="application/json" id="x-header">${JSON.stringify(header).replaceAll('<', '\\u003c')}</script>\n`;
}

function emptyIndex(): { block: IndexBlock; add: (observation: Observation, control: number) => void } {
  const columns = {
    type: dictionary(),
    account: dictionary(),
    location: dictionary(),
    provider: dictionary(),
    check: dictionary(),
    reason: dictionary(),
    waiver: dictionary(),
  };
  const indexBlock: IndexBlock = {
    control: [],
    status: [],
    name: [],
    uid: [],
    type: columns.type.column,
    account: columns.account.column,
    location: columns.location.column,
    provider: columns.provider.column,
    check: columns.check.column,
    reason: columns.reason.column,
    waiver: columns.waiver.column,
  };
  return {
    block: indexBlock,
    add: ({ subject, status, reason, check, waiver }, control) => {
      indexBlock.control.push(control);
      indexBlock.status.push(statuses.indexOf(status));
      indexBlock.name.push(cell(subject.name === '' ? subject.uid : subject.name, 400));
      indexBlock.uid.push(cell(subject.uid, 1000));
      columns.type.add(cell(subject.type, 200));
      columns.account.add(cell(subject.account, 120));
      columns.location.add(cell(subject.location, 120));
      columns.provider.add(subject.provider);
      columns.check.add(cell(check, 120));
      columns.reason.add(cell(reason, 2000));
      columns.waiver.add(waiver === undefined ? '' : cell(waiver, 120));
    },
  };
}
