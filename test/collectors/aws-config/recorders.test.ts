import { describe, expect, test } from 'vitest';
import { keepsCompliance, recorded, recordedRecorder, recorderOf, recordsType } from '../../../src/collectors/aws-config/recorders.ts';
import type { JsonObject } from '../../../src/model/index.ts';

const healthy: JsonObject = { name: 'default', recording: true, lastStatus: 'SUCCESS', lastStartTime: 1700000000 };
const all: JsonObject = {
  name: 'default',
  recordingGroup: { allSupported: true, includeGlobalResourceTypes: false, resourceTypes: [] },
  recordingMode: { recordingFrequency: 'CONTINUOUS' },
};
const bucket = 'AWS::S3::Bucket';
const role = 'AWS::IAM::Role';

const state = (description: JsonObject | null, status: JsonObject | undefined = healthy, type = bucket, region = 'eu-west-1') =>
  recorded({ recorders: description === null ? [] : [recorderOf(description, status)], unread: [] }, type, region);

describe('which types a recorder records', () => {
  const group = (recordingGroup: JsonObject): JsonObject => ({ name: 'default', recordingGroup });
  test('all supported, but IAM only where global types are included', () => {
    expect(state(all).status).toBe('complete');
    expect(state(all, healthy, role)).toMatchObject({ status: 'not-recorded', reasons: [{ code: 'type-not-recorded' }] });
    expect(state(group({ allSupported: true, includeGlobalResourceTypes: true }), healthy, role).status).toBe('complete');
  });
  test('by inclusion: what is listed, global or not', () => {
    const included = group({
      allSupported: false,
      resourceTypes: [bucket, role],
      recordingStrategy: { useOnly: 'INCLUSION_BY_RESOURCE_TYPES' },
    });
    expect(state(included).status).toBe('complete');
    expect(state(included, healthy, role).status).toBe('complete');
    expect(state(included, healthy, 'AWS::KMS::Key').status).toBe('not-recorded');
  });
  test('by exclusion: what is not listed', () => {
    const excluded = group({
      allSupported: false,
      recordingStrategy: { useOnly: 'EXCLUSION_BY_RESOURCE_TYPES' },
      exclusionByResourceTypes: { resourceTypes: [bucket] },
    });
    expect(state(excluded).status).toBe('not-recorded');
    expect(state(excluded, healthy, role).status).toBe('complete');
  });
  test('a strategy nobody has heard of records only what it names', () => {
    expect(state(group({ allSupported: true, recordingStrategy: { useOnly: 'BY_MOOD' } })).status).toBe('not-recorded');
  });
  test('regions opened after February 2022 record no IAM', () => {
    expect(state(group({ allSupported: true, includeGlobalResourceTypes: true }), healthy, role, 'me-central-1').status).toBe(
      'not-recorded',
    );
  });
  test("Config's own types need not be listed", () => {
    expect(
      recordsType(recorderOf(group({ allSupported: false, resourceTypes: [] }), healthy), 'AWS::Config::ResourceCompliance', 'eu-west-1'),
    ).toBe(true);
  });
});

test('an item for each resource that a rule judges is sure only where the recorder does not leave them out, and runs', () => {
  const type = 'AWS::Config::ResourceCompliance';
  const keeps = (recordingGroup: JsonObject, status: JsonObject = healthy): boolean =>
    keepsCompliance({ recorders: [recorderOf({ name: 'default', recordingGroup }, status)], unread: [] });
  const inclusion = { recordingStrategy: { useOnly: 'INCLUSION_BY_RESOURCE_TYPES' } };
  expect(keeps({ allSupported: true })).toBe(true);
  expect(keeps({ ...inclusion, resourceTypes: [bucket] })).toBe(false);
  expect(keeps({ ...inclusion, resourceTypes: [bucket, type] })).toBe(true);
  expect(
    keeps({ recordingStrategy: { useOnly: 'EXCLUSION_BY_RESOURCE_TYPES' }, exclusionByResourceTypes: { resourceTypes: [type] } }),
  ).toBe(false);
  expect(keeps({ allSupported: true }, { ...healthy, recording: false })).toBe(false);
  expect(keepsCompliance({ recorders: [], unread: [] })).toBe(false);
});

describe('whether a recorder is in good order', () => {
  test.each(['SUCCESS', 'Success', 'success', 'NotApplicable'])('%s is success', (lastStatus) => {
    expect(state(all, { ...healthy, lastStatus }).status).toBe('complete');
  });
  test.each([
    ['FAILURE', 'recorder-failing'],
    ['Pending', 'recorder-pending'],
    ['UNHEARD_OF', 'recorder-unknown'],
  ])('%s is stale', (lastStatus, code) => {
    expect(state(all, { ...healthy, lastStatus })).toMatchObject({ status: 'stale', reasons: [{ code }] });
  });
  test('stopped after having run is stale, with the time; never run is not recorded', () => {
    const stopped = state(all, {
      name: 'default',
      recording: false,
      lastStopTime: 1700000000,
      lastStartTime: 1690000000,
      lastStatus: 'SUCCESS',
    });
    expect(stopped).toMatchObject({ status: 'stale', reasons: [{ code: 'recorder-stopped' }] });
    expect(stopped.reasons[0]?.message).toContain('2023-11-14');
    expect(state(all, { name: 'default', recording: false }).status).toBe('not-recorded');
  });
  test('no status, no proof', () => {
    expect(state(all, {}).status).toBe('partial');
    expect(recorded({ recorders: [recorderOf(all, undefined)], unread: [] }, bucket, 'eu-west-1').status).toBe('partial');
  });
  test('no recorder: nothing is recorded; recorders that could not be read: nobody knows', () => {
    expect(state(null)).toMatchObject({ status: 'not-recorded', reasons: [{ code: 'no-recorder' }] });
    expect(recorded({ recorders: [], unread: [{ code: 'access-denied', message: 'no' }] }, bucket, 'eu-west-1')).toMatchObject({
      status: 'partial',
      reasons: [{ code: 'recorder-unknown' }, { code: 'access-denied' }],
    });
  });
  test('daily recording is complete, and said', () => {
    const daily = {
      ...all,
      recordingMode: {
        recordingFrequency: 'CONTINUOUS',
        recordingModeOverrides: [{ resourceTypes: [bucket], recordingFrequency: 'DAILY' }],
      },
    };
    expect(state(daily)).toMatchObject({ status: 'complete', reasons: [{ code: 'recorded-daily' }] });
    expect(state(daily, healthy, 'AWS::KMS::Key').reasons).toEqual([]);
  });
  test('a second recorder that records the type in good order is enough', () => {
    const recorders = [
      recorderOf({ ...all, name: 'old' }, { ...healthy, name: 'old', recording: false, lastStopTime: 1 }),
      recorderOf({ ...all, name: 'linked' }, { ...healthy, name: 'linked' }),
    ];
    expect(recorded({ recorders, unread: [] }, bucket, 'eu-west-1').status).toBe('complete');
  });
});

test('a recorder as Config records it itself, in Pascal case', () => {
  const recorder = recordedRecorder({
    Name: 'default',
    Recording: true,
    RecordingGroup: { AllSupported: true, IncludeGlobalResourceTypes: true },
    RecordingMode: { RecordingFrequency: 'DAILY' },
  });
  expect(recorded({ recorders: [recorder], unread: [] }, role, 'eu-west-1')).toMatchObject({
    status: 'complete',
    reasons: [{ code: 'recorded-daily' }],
  });
  expect(recorded({ recorders: [recordedRecorder({ Name: 'x', Recording: false })], unread: [] }, bucket, 'eu-west-1').status).toBe(
    'stale',
  );
});
