import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { connect, type Connection, credentialProvider } from '../../../src/collectors/aws-config/client.ts';
import { defaultPatience, pacer } from '../../../src/collectors/rate.ts';
import { hurried } from '../../support/aws.ts';

/** Who asks: AWS STS, and what stands in its place. Answers are given in order, the last one for ever. */

const account = '111122223333';
const arn = `arn:aws:sts::${account}:assumed-role/Reader/exhibit`;
const assumed = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>example</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
const caller = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>${arn}</Arn><UserId>AROA:exhibit</UserId><Account>${account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`;
const page = '<html><body>Please sign in</body></html>';
const refused = (code: string): string =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`;

type Answer = readonly [status: number, body: string];
const asked: Record<string, number> = {};
let answers: Record<string, readonly Answer[]> = {};
let server: Server;
let endpoint: string;
let open: Connection[] = [];

function answer(request: IncomingMessage, response: ServerResponse): void {
  let form = '';
  request.on('data', (piece: Buffer) => (form += piece.toString()));
  request.on('end', () => {
    const operation = new URLSearchParams(form).get('Action') ?? '';
    const own = answers[operation] ?? [];
    const [status, body] = own[Math.min(asked[operation] ?? 0, own.length - 1)] ?? [200, operation === 'AssumeRole' ? assumed : caller];
    asked[operation] = (asked[operation] ?? 0) + 1;
    response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
  });
}

beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'example');
  server = createServer(answer);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  endpoint = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
afterEach(() => {
  for (const one of open) one.close();
  open = [];
  answers = {};
  for (const operation of Object.keys(asked)) delete asked[operation];
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.close();
});

function connection(): Connection {
  const patience = { ...defaultPatience, ...hurried, maxAttempts: 8 };
  const region = 'eu-west-1';
  const credentials = credentialProvider({ region, roleArn: `arn:aws:iam::${account}:role/Reader`, stsEndpoint: endpoint, patience });
  const made = connect({
    region,
    configEndpoint: endpoint,
    stsEndpoint: endpoint,
    credentials,
    patience,
    pacer: pacer('test', { permits: 100, perMs: 1 }),
  });
  open.push(made);
  return made;
}
const identity = (): ReturnType<Connection['identity']> => connection().identity(new AbortController().signal);

describe('an answer of AWS STS that is none', () => {
  const noAnswers: Record<string, Answer> = {
    'a page of a proxy': [200, page],
    'half an answer': [200, assumed.slice(0, assumed.indexOf('<SessionToken>'))],
    'an answer without its end': [200, assumed.slice(0, -8)],
    'an answer that lacks the token': [200, assumed.replace('<SessionToken>token</SessionToken>', '')],
    JSON: [200, '{"__type":"x'],
    nothing: [200, ''],
    'a page instead of a refusal': [403, page],
  };
  test.each(Object.entries(noAnswers))('is asked for again: %s', async (_, none) => {
    answers = { AssumeRole: [none, none, [200, assumed]] };
    expect(await identity()).toEqual({ ok: true, account, arn });
    expect(asked).toEqual({ AssumeRole: 3, GetCallerIdentity: 1 });
  });

  test.each(Object.entries(noAnswers))('is named after three attempts: %s', async (_, none) => {
    answers = { AssumeRole: [none] };
    const outcome = await identity();
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'role-not-assumed' } });
    expect(outcome.ok ? '' : outcome.failure.message).toMatch(/after 3 attempts .*AssumeRole of arn:aws:iam::111122223333:role\/Reader/);
    expect(asked).toEqual({ AssumeRole: 3 });
  });

  test('to the question who asks is malformed, and asked for again as often', async () => {
    answers = {
      GetCallerIdentity: [
        [200, page],
        [200, caller.slice(0, 120)],
        [200, caller],
      ],
    };
    expect(await identity()).toEqual({ ok: true, account, arn });
    answers = { GetCallerIdentity: [[200, page]] };
    asked['GetCallerIdentity'] = 0;
    expect(await identity()).toMatchObject({ ok: false, failure: { code: 'malformed-response' } });
    expect(asked['GetCallerIdentity']).toBe(3);
  });
});

describe('a refusal of AWS STS', () => {
  test.each([
    ['access-denied', 403, refused('AccessDenied'), 1],
    ['expired-credentials', 403, refused('ExpiredToken'), 1],
    ['throttled', 400, refused('Throttling'), 8],
    ['server-error', 500, refused('InternalFailure'), 5],
    ['server-error', 503, page, 5],
  ] as const)('keeps its name and its number of attempts: %s, %i', async (code, status, body, attempts) => {
    answers = { AssumeRole: [[status, body]] };
    expect(await identity()).toMatchObject({ ok: false, failure: { code } });
    expect(asked).toEqual({ AssumeRole: attempts });
  });
});
