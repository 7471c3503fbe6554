import { statusTable } from '../model/index.ts';
import type { Status, StatusCounts } from '../model/index.ts';
import { grouped } from './text.ts';

/** Drawing order: what is settled first, what is not after it. */
const ORDER: readonly Status[] = ['pass', 'fail', 'error', 'unknown', 'notchecked', 'notapplicable'];

export function wordOf(status: Status): string {
  return statusTable.find((row) => row.status === status)?.label ?? status;
}

/** Says a set of counts: `14 pass, 5 fail`. */
export function countsLabel(counts: StatusCounts): string {
  const parts = ORDER.filter((status) => counts[status] > 0).map((status) => `${grouped(counts[status])} ${wordOf(status).toLowerCase()}`);
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

export interface BarPart {
  status: Status;
  x: number;
  width: number;
}

/** A stacked bar 1000 units wide. A status that occurs at all is given a visible sliver. */
export function stackedBar(counts: StatusCounts): { label: string; parts: BarPart[] } {
  const total = ORDER.reduce((sum, status) => sum + counts[status], 0);
  const label = countsLabel(counts);
  if (total === 0) return { label, parts: [] };
  const sliver = 12;
  const present = ORDER.filter((status) => counts[status] > 0);
  const spare = 1000 - sliver * present.length;
  let x = 0;
  const parts = present.map((status, index) => {
    const width = index === present.length - 1 ? 1000 - x : Math.round(sliver + (spare * counts[status]) / total);
    const part = { status, x, width };
    x += width;
    return part;
  });
  return { label, parts };
}

/** Ring segments as SVG paths in a box of 100 × 100, clockwise from the top. */
export function donut(counts: StatusCounts, of: readonly Status[] = ORDER): { status: Status; path: string }[] {
  const present = of.filter((status) => counts[status] > 0);
  const total = present.reduce((sum, status) => sum + counts[status], 0);
  let from = 0;
  return present.map((status) => {
    const to = from + counts[status] / total;
    const path = present.length === 1 ? ring() : segment(from, to);
    from = to;
    return { status, path };
  });
}

const OUTER = 48;
const INNER = 35;

function point(radius: number, turn: number): string {
  const angle = turn * 2 * Math.PI;
  const round = (value: number): string => (Math.round(value * 100) / 100).toString();
  return `${round(50 + radius * Math.sin(angle))} ${round(50 - radius * Math.cos(angle))}`;
}

function segment(from: number, to: number): string {
  const large = to - from > 0.5 ? 1 : 0;
  return `M${point(OUTER, from)}A${OUTER} ${OUTER} 0 ${large} 1 ${point(OUTER, to)}L${point(INNER, to)}A${INNER} ${INNER} 0 ${large} 0 ${point(INNER, from)}Z`;
}

function ring(): string {
  const circle = (radius: number, sweep: number): string =>
    `M50 ${50 - radius}A${radius} ${radius} 0 1 ${sweep} 50 ${50 + radius}A${radius} ${radius} 0 1 ${sweep} 50 ${50 - radius}Z`;
  return circle(OUTER, 1) + circle(INNER, 0);
}
