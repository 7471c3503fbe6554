import { createReadStream } from 'node:fs';
import { observationSchema } from '../model/index.ts';
import type { Assessment, Finding, Observation, Status } from '../model/index.ts';

const NON_PASSING: ReadonlySet<Status> = new Set<Status>(['fail', 'error', 'unknown', 'notchecked']);

/** What the report must list one by one: whatever is neither a pass nor not applicable. */
export function isNonPassing(status: Status): boolean {
  return NON_PASSING.has(status);
}

/** Lines of a file, or of a block of it (offset and length in bytes), without holding more than a piece of it. */
export async function* lines(file: string, block?: readonly [number, number]): AsyncGenerator<string> {
  if (block?.[1] === 0) return;
  const stream = createReadStream(file, { highWaterMark: 1 << 18, ...(block ? { start: block[0], end: block[0] + block[1] - 1 } : {}) });
  let rest: Buffer[] = [];
  for await (const piece of stream as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = piece.indexOf(10); at !== -1; at = piece.indexOf(10, from)) {
      const line = rest.length === 0 ? piece.subarray(from, at) : Buffer.concat([...rest, piece.subarray(from, at)]);
      rest = [];
      from = at + 1;
      if (line.length > 0) yield line.toString('utf8');
    }
    if (from < piece.length) rest.push(piece.subarray(from));
  }
  if (rest.length > 0) yield Buffer.concat(rest).toString('utf8');
}

/**
 * The observations of one control. Throws when the file does not hold what the assessment says it holds: a report that
 * silently listed fewer would be a false pass.
 */
export async function* observationsOf(file: string, finding: Finding): AsyncGenerator<Observation> {
  let count = 0;
  for (const block of finding.observations.blocks) {
    for await (const line of lines(file, block)) {
      const observation = parseObservation(line);
      if (observation.control !== finding.control.id)
        throw new Error(`observations.ndjson: ${observation.control} where ${finding.control.id} is expected; assess again`);
      count += 1;
      yield observation;
    }
  }
  if (count !== finding.observations.count) {
    throw new Error(
      `observations.ndjson holds ${count} observations of ${finding.control.id}, assessment.json says ${finding.observations.count}; assess again`,
    );
  }
}

/** Ids of the observations of one control, of which nothing else is read: they have been, or will be. */
export async function* observationIds(file: string, finding: Finding): AsyncGenerator<string> {
  for (const block of finding.observations.blocks) {
    for await (const line of lines(file, block)) {
      // Lines begin with it.
      const [, id] = /^\{"id":"([0-9a-f-]{36})"/.exec(line) ?? [];
      yield id ?? parseObservation(line).id;
    }
  }
}

/** Every observation, control by control in the assessment's order. */
export async function* allObservations(
  file: string,
  assessment: Assessment,
): AsyncGenerator<{ finding: Finding; observation: Observation }> {
  for (const finding of assessment.findings) for await (const observation of observationsOf(file, finding)) yield { finding, observation };
}

function parseObservation(line: string): Observation {
  return observationSchema.parse(JSON.parse(line)) as Observation;
}
