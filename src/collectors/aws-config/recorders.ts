import { isJsonObject, type Json, type JsonObject, type LedgerStatus, type Reason } from '../../model/index.ts';
import { instant, text } from './document.ts';
import { isGlobal, recordsIam } from './queries.ts';

/** What is known of one recorder. `recording`, `lastStatus`: null where its status could not be had. */
export interface Recorder {
  readonly name: string;
  readonly strategy: 'all' | 'inclusion' | 'exclusion';
  readonly includesGlobal: boolean;
  readonly types: ReadonlySet<string>;
  readonly excluded: ReadonlySet<string>;
  readonly frequency: string;
  /** Types recorded at another frequency than the default one. */
  readonly frequencies: ReadonlyMap<string, string>;
  readonly recording: boolean | null;
  /** Lower case: providers disagree with their own enumeration about it. */
  readonly lastStatus: string | null;
  readonly lastStopTime: string | null;
  readonly everStarted: boolean;
  readonly lastError: string | null;
}

/**
 * A recorder as AWS Config records it itself (`AWS::Config::ConfigurationRecorder`), which is how an aggregator shows it.
 * Such an item tells whether it is recording, not how its last delivery went.
 */
export function recordedRecorder(configuration: JsonObject): Recorder {
  return { ...recorderOf(configuration, undefined), lastStatus: 'notapplicable', everStarted: true };
}

function strings(value: Json | undefined): Set<string> {
  return new Set(Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []);
}

/** A field under its camel- or Pascal-case name: the API says `recordingGroup`, the recorded item `RecordingGroup`. */
function field(object: JsonObject | undefined, name: string): Json | undefined {
  return object?.[name] ?? object?.[name.charAt(0).toUpperCase() + name.slice(1)];
}

function objectField(object: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = field(object, name);
  return isJsonObject(value) ? value : undefined;
}

function strategyOf(group: JsonObject | undefined): Recorder['strategy'] {
  const named = text(field(objectField(group, 'recordingStrategy'), 'useOnly'));
  if (named === 'ALL_SUPPORTED_RESOURCE_TYPES') return 'all';
  if (named === 'EXCLUSION_BY_RESOURCE_TYPES') return 'exclusion';
  if (named === 'INCLUSION_BY_RESOURCE_TYPES') return 'inclusion';
  // A recorder without a group records everything; a strategy we do not know records only what it names.
  if (group === undefined) return 'all';
  return named === null && field(group, 'allSupported') === true ? 'all' : 'inclusion';
}

/** A recorder from its description and, where there is one, its status. Both are read leniently and judged strictly. */
export function recorderOf(description: JsonObject, status: JsonObject | undefined): Recorder {
  const group = objectField(description, 'recordingGroup');
  const mode = objectField(description, 'recordingMode');
  const overrides = field(mode, 'recordingModeOverrides');
  const frequencies = new Map<string, string>();
  for (const override of Array.isArray(overrides) ? overrides : []) {
    if (!isJsonObject(override)) continue;
    for (const type of strings(field(override, 'resourceTypes')))
      frequencies.set(type, text(field(override, 'recordingFrequency')) ?? 'UNKNOWN');
  }
  const recording = field(status, 'recording') ?? field(description, 'recording');
  return {
    name: text(field(description, 'name')) ?? 'default',
    strategy: strategyOf(group),
    includesGlobal: field(group, 'includeGlobalResourceTypes') === true,
    types: strings(field(group, 'resourceTypes')),
    excluded: strings(field(objectField(group, 'exclusionByResourceTypes'), 'resourceTypes')),
    frequency: text(field(mode, 'recordingFrequency')) ?? 'CONTINUOUS',
    frequencies,
    recording: typeof recording === 'boolean' ? recording : null,
    lastStatus: text(field(status, 'lastStatus'))?.toLowerCase() ?? null,
    lastStopTime: instant(field(status, 'lastStopTime')),
    everStarted: instant(field(status, 'lastStartTime')) !== null,
    lastError:
      [text(field(status, 'lastErrorCode')), text(field(status, 'lastErrorMessage'))].filter((part) => part !== null).join(': ') || null,
  };
}

/** Types that Config keeps itself, whatever the recorder is told to record. */
const ownTypes = new Set([
  'AWS::Config::ResourceCompliance',
  'AWS::Config::ConformancePackCompliance',
  'AWS::Config::ConfigurationRecorder',
]);

export function recordsType(recorder: Recorder, type: string, region: string): boolean {
  if (ownTypes.has(type)) return true;
  if (isGlobal(type) && !recordsIam(region)) return false;
  switch (recorder.strategy) {
    case 'inclusion':
      return recorder.types.has(type);
    case 'exclusion':
      return !recorder.excluded.has(type);
    case 'all':
      return !isGlobal(type) || recorder.includesGlobal || recorder.types.has(type);
  }
}

/** Whether Config surely keeps an item for each resource that a rule judges: a recorder that names its types may leave these out. */
export function keepsCompliance({ recorders }: RecorderState): boolean {
  const type = 'AWS::Config::ResourceCompliance';
  return recorders.some(
    ({ recording, strategy, types, excluded }) => recording === true && (strategy === 'inclusion' ? types.has(type) : !excluded.has(type)),
  );
}

/** What the recorders of an account and region make of a type's evidence. */
export interface Recorded {
  readonly status: Extract<LedgerStatus, 'complete' | 'not-recorded' | 'stale' | 'partial'>;
  readonly reasons: Reason[];
}

/** `unread`: why the recorders could not be read, when they could not. */
export interface RecorderState {
  readonly recorders: readonly Recorder[];
  readonly unread: readonly Reason[];
}

export function recorded(state: RecorderState, type: string, region: string): Recorded {
  if (state.recorders.length === 0) {
    if (state.unread.length > 0)
      return {
        status: 'partial',
        reasons: [{ code: 'recorder-unknown', message: 'whether AWS Config records this type could not be established' }, ...state.unread],
      };
    return {
      status: 'not-recorded',
      reasons: [{ code: 'no-recorder', message: `AWS Config has no configuration recorder in ${region}: nothing is recorded there` }],
    };
  }
  const recording = state.recorders.filter((recorder) => recordsType(recorder, type, region));
  if (recording.length === 0) {
    return {
      status: 'not-recorded',
      reasons: [
        {
          code: 'type-not-recorded',
          message: `the configuration recorder ${state.recorders.map((one) => one.name).join(', ')} does not record ${type}: no rows does not mean no resources`,
        },
      ],
    };
  }
  const judged = recording.map((recorder) => running(recorder, type));
  // One recorder in good order is enough: the others record the same type besides.
  const best = judged.find((one) => one.status === 'complete') ?? judged.find((one) => one.status === 'stale') ?? judged[0];
  return best ?? { status: 'partial', reasons: [] };
}

function running(recorder: Recorder, type: string): Recorded {
  const { name } = recorder;
  if (recorder.recording === null)
    return {
      status: 'partial',
      reasons: [{ code: 'recorder-unknown', message: `whether the configuration recorder ${name} is running could not be established` }],
    };
  if (!recorder.recording) {
    if (!recorder.everStarted && recorder.lastStopTime === null)
      return {
        status: 'not-recorded',
        reasons: [{ code: 'recorder-stopped', message: `the configuration recorder ${name} is not recording` }],
      };
    return {
      status: 'stale',
      reasons: [
        {
          code: 'recorder-stopped',
          message: `the configuration recorder ${name} stopped${recorder.lastStopTime === null ? '' : ` at ${recorder.lastStopTime}`}: later changes are not in the evidence`,
        },
      ],
    };
  }
  // `NotApplicable` is what service-linked recorders say, which deliver nothing to a channel.
  if (recorder.lastStatus !== 'success' && recorder.lastStatus !== 'notapplicable') {
    const code =
      recorder.lastStatus === 'pending' ? 'recorder-pending' : recorder.lastStatus === 'failure' ? 'recorder-failing' : 'recorder-unknown';
    return {
      status: 'stale',
      reasons: [
        {
          code,
          message: `the last recording of ${name} did not succeed (${recorder.lastStatus ?? 'no status'}${recorder.lastError === null ? '' : `: ${recorder.lastError}`})`,
        },
      ],
    };
  }
  const frequency = recorder.frequencies.get(type) ?? recorder.frequency;
  if (frequency === 'CONTINUOUS') return { status: 'complete', reasons: [] };
  return {
    status: 'complete',
    reasons: [{ code: 'recorded-daily', message: `${type} is recorded ${frequency}: an item can be up to 24 hours behind` }],
  };
}
