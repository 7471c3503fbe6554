import type { AwsEstate } from './estate/aws-model.ts';
import { random } from './estate/random.ts';
import { type CallBook, strikes } from './faults.ts';
import type { Handled, HttpRequest } from './http.ts';

/** The long-lived access key of an account: the account id is its last twelve digits. */
export function accessKeyOf(account: string): string {
  return `AKIASIM0${account}`;
}

export interface AwsIdentity {
  /** Null for a key the simulator never handed out. */
  readonly account: string | null;
  readonly region: string;
  readonly arn: string;
}

/** Who signed a request, from its SigV4 scope; null when nobody did. */
export function awsIdentity(request: HttpRequest, estate: AwsEstate): AwsIdentity | null {
  const match = /Credential=([A-Z0-9]+)\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request/.exec(request.headers.authorization ?? '');
  if (match === null) return null;
  const [, key = '', , region = ''] = match;
  const id = /^(AKIA|ASIA)SIM0(\d{12})$/.exec(key);
  const account = estate.accounts.find((one) => one.id === id?.[2])?.id ?? null;
  if (account === null || id === null) return { account: null, region, arn: 'unknown' };
  if (id[1] === 'AKIA') return { account, region, arn: `arn:aws:iam::${account}:user/exhibit` };
  const token = request.headers['x-amz-security-token'];
  const arn = typeof token === 'string' ? Buffer.from(token, 'base64').toString('utf8') : '';
  return { account: arn.startsWith(`arn:aws:sts::${account}:`) ? account : null, region, arn };
}

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);

/** AWS STS over the query protocol: AssumeRole within the organisation, and GetCallerIdentity. */
export function awsStsHandler(context: { estate: AwsEstate; seed: number; book: CallBook }): (request: HttpRequest) => Handled {
  const { estate, seed, book } = context;
  return (request) => {
    const form = new URLSearchParams(request.body === '' ? request.url.search : request.body);
    const operation = form.get('Action') ?? 'unknown';
    const role = /^arn:aws:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(form.get('RoleArn') ?? '');
    const identity = awsIdentity(request, estate);
    const { call, faults } = book.begin({
      provider: 'aws',
      operation,
      scope: role?.[1] ?? identity?.account ?? 'unknown',
      detail: role?.[2] ?? '-',
      offset: 0,
    });
    const requestId = `sts-${String(call.n).padStart(8, '0')}`;
    const reply = (status: number, body: string): Handled => ({
      reply: { status, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId }, body },
      faults,
    });
    const error = (status: number, code: string, message: string): Handled =>
      reply(
        status,
        `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>${status >= 500 ? 'Receiver' : 'Sender'}</Type><Code>${code}</Code><Message>${escape(message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
      );
    if (identity === null) return error(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token');
    if (identity.account === null) return error(403, 'InvalidClientTokenId', 'The security token included in the request is invalid.');
    if (strikes(faults, 'access-denied'))
      return error(
        403,
        'AccessDenied',
        `User: ${identity.arn} is not authorized to perform: sts:${operation} on resource: ${form.get('RoleArn') ?? '*'}`,
      );
    if (strikes(faults, 'expired-credentials')) return error(403, 'ExpiredToken', 'The security token included in the request is expired');
    if (strikes(faults, 'throttle') || strikes(faults, 'throttle-without-hint')) return error(400, 'Throttling', 'Rate exceeded');
    if (strikes(faults, 'http-500')) return error(500, 'InternalFailure', 'The request processing has failed because of an unknown error.');
    if (strikes(faults, 'http-503'))
      return error(503, 'ServiceUnavailable', 'The request has failed due to a temporary failure of the server.');
    if (operation === 'GetCallerIdentity') {
      return reply(
        200,
        `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>${identity.arn}</Arn><UserId>${accessKeyOf(identity.account).replace('AKIA', 'AIDA')}</UserId><Account>${identity.account}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></GetCallerIdentityResponse>`,
      );
    }
    if (operation !== 'AssumeRole') return error(400, 'InvalidAction', `Could not find operation ${operation} for version 2011-06-15`);
    const session = form.get('RoleSessionName') ?? '';
    const account = estate.accounts.find((one) => one.id === role?.[1])?.id;
    if (role === null || account === undefined || role[2] !== collectorRole || session === '') {
      return error(
        403,
        'AccessDenied',
        `User: ${identity.arn} is not authorized to perform: sts:AssumeRole on resource: ${form.get('RoleArn') ?? ''}`,
      );
    }
    const arn = `arn:aws:sts::${account}:assumed-role/${collectorRole}/${session}`;
    const lifetime = Number(form.get('DurationSeconds') ?? '3600');
    return reply(
      200,
      `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser><Arn>${escape(arn)}</Arn><AssumedRoleId>AROA${random(seed, account).code(17)}:${escape(session)}</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>ASIASIM0${account}</AccessKeyId><SecretAccessKey>${random(seed, 'secret', account).hex(40)}</SecretAccessKey><SessionToken>${Buffer.from(arn).toString('base64')}</SessionToken><Expiration>${new Date(Date.now() + lifetime * 1000).toISOString()}</Expiration></Credentials></AssumeRoleResult><ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></AssumeRoleResponse>`,
    );
  };
}

/** The one role that can be assumed in every account. */
export const collectorRole = 'ExhibitCollector';
