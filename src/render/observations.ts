import { createReadStream } from 'node:fs';
import { observationSchema, accessSchema } from '../model/index.ts';
import type { Access, Assessment, Finding, Observation, Status } from '../model/index.ts';

const NON_PASSING: ReadonlySet<Status> = new Set<Status>(['fail', 'error', 'unknown', 'notchecked']);

/** What the report must list one by one: whatever is neither a pass nor not applicable. */
export function isNonPassing(status: Status): boolean {
  return NON_PASSING.has(status);
}

/** Lines of a file, or of a byte range of it, without holding more than one block of it. */
export async function* lines(file: string, range?: { offset: number; length: number }): AsyncGenerator<string> {
  if (range?.length === 0) return;
  const stream = createReadStream(file, {
    highWaterMark: 1 << 18,
    ...(range ? { start: range.offset, end: range.offset + range.length - 1 } : {}),
  });
  let rest: Buffer[] = [];
  for await (const block of stream as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = block.indexOf(10); at !== -1; at = block.indexOf(10, from)) {
      const line = rest.length === 0 ? block.subarray(from, at) : Buffer.concat([...rest, block.subarray(from, at)]);
      rest = [];
      from = at + 1;
      if (line.length > 0) yield line.toString('utf8');
    }
    if (from < block.length) rest.push(block.subarray(from));
  }
  if (rest.length > 0) yield Buffer.concat(rest).toString('utf8');
}

/**
 * The observations of one control. Throws when the file does not hold what the assessment says it holds: a report that
 * silently listed fewer would be a false pass.
 */
export async function* observationsOf(file: string, finding: Finding): AsyncGenerator<Observation> {
  let count = 0;
  for await (const line of lines(file, finding.observations)) {
    const observation = parseObservation(line);
    if (observation.control !== finding.control.id)
      throw new Error(`observations.ndjson: ${observation.control} where ${finding.control.id} is expected; assess again`);
    count += 1;
    yield observation;
  }
  if (count !== finding.observations.count) {
    throw new Error(
      `observations.ndjson holds ${count} observations of ${finding.control.id}, assessment.json says ${finding.observations.count}; assess again`,
    );
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

/** Lines of access.ndjson; none when the file does not exist and the assessment counts no store. */
export async function* accessLines(file: string): AsyncGenerator<Access> {
  for await (const line of lines(file)) yield accessSchema.parse(JSON.parse(line));
}
