import type { Json, JsonObject } from '../model/index.ts';
import { AwsError, object, openToken, text } from './aws-call.ts';
import { awsOperations } from './aws-operations.ts';
import { InvalidExpression } from './aws-select.ts';
import { awsIdentity } from './aws-sts.ts';
import type { AwsEstate } from './estate/aws-model.ts';
import { iso } from './estate/population.ts';
import { hash32 } from './estate/random.ts';
import { type CallBook, strikes } from './faults.ts';
import { clockSkewMilliseconds, type Handled, type HttpRequest } from './http.ts';
import { type KeptAnswers, madeAnew } from './kept-answers.ts';
import type { Quotas } from './quotas.ts';

export { aggregatorName } from './aws-held.ts';

interface Context {
  readonly estate: AwsEstate;
  readonly seed: number;
  readonly asOf: number;
  readonly book: CallBook;
  readonly quotas: Quotas;
  readonly kept?: KeptAnswers;
}

/** AWS Config over JSON 1.1, for the accounts and regions of the estate. */
export function awsConfigHandler(context: Context): (request: HttpRequest) => Handled {
  const { estate, book, quotas, kept = madeAnew } = context;
  const operations = awsOperations(context);

  return (request) => {
    const target = request.headers['x-amz-target'];
    const operation =
      typeof target === 'string' && target.startsWith('StarlingDoveService.') ? target.slice('StarlingDoveService.'.length) : 'unknown';
    const identity = awsIdentity(request, estate);
    let input: JsonObject = {};
    try {
      input = object(request.body === '' ? {} : (JSON.parse(request.body) as Json));
    } catch {
      /* answered below as a SerializationException */
    }
    const { NextToken, nextToken, ...rest } = input;
    const account = identity?.account ?? 'unknown';
    const region = identity?.region ?? 'unknown';
    const aggregate = 'ConfigurationAggregatorName' in input;
    const binding = JSON.stringify([operation, account, region, rest]);
    const token = typeof NextToken === 'string' ? NextToken : typeof nextToken === 'string' ? nextToken : null;
    let offset = 0;
    let refusal: AwsError | null = null;
    try {
      offset = token === null ? 0 : openToken(token, binding);
    } catch (error) {
      refusal = error as AwsError;
    }
    const { call, faults } = book.begin({
      provider: 'aws',
      operation,
      scope: aggregate ? 'aggregator' : `${account}.${region}`,
      detail: detailOf(operation, input),
      offset,
    });
    const requestId = `${hash32(call.key).toString(16).padStart(8, '0')}-${hash32(call.key, 7).toString(16).padStart(8, '0').slice(0, 4)}-4${hash32(call.key, 11).toString(16).padStart(8, '0').slice(0, 3)}-a${hash32(call.key, 13).toString(16).padStart(8, '0').slice(0, 3)}-${String(call.n).padStart(12, '0')}`;
    const send = (status: number, body: string, headers: Record<string, string> = {}): Handled => ({
      reply: {
        status,
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': requestId, ...headers },
        body,
      },
      faults,
    });
    const error = (type: string, message: string, status = 400, headers: Record<string, string> = {}): Handled =>
      send(status, JSON.stringify({ __type: type, message }), headers);
    if (identity === null) return error('MissingAuthenticationTokenException', 'Missing Authentication Token', 403);
    if (identity.account === null) return error('UnrecognizedClientException', 'The security token included in the request is invalid.');
    if (strikes(faults, 'clock-skew')) {
      const signed = Date.parse(
        ((request.headers['x-amz-date'] as string | undefined) ?? '').replace(
          /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/,
          '$1-$2-$3T$4:$5:$6Z',
        ),
      );
      if (Math.abs(Date.now() + clockSkewMilliseconds - signed) > 300_000)
        return error(
          'InvalidSignatureException',
          `Signature expired: the request was signed at ${iso(signed)}, outside the window of five minutes.`,
        );
    }
    if (strikes(faults, 'access-denied'))
      return error(
        'AccessDeniedException',
        `User: ${identity.arn} is not authorized to perform: config:${operation} because no identity-based policy allows the config:${operation} action`,
      );
    if (strikes(faults, 'expired-credentials'))
      return error('ExpiredTokenException', 'The security token included in the request is expired');
    if (strikes(faults, 'throttle')) return error('ThrottlingException', 'Rate exceeded', 400, { 'retry-after': '1' });
    if (strikes(faults, 'throttle-without-hint')) return error('ThrottlingException', 'Rate exceeded');
    if (strikes(faults, 'http-500'))
      return error('InternalFailure', 'The request processing has failed because of an unknown error, exception or failure.', 500);
    if (strikes(faults, 'http-503'))
      return error('ServiceUnavailable', 'The request has failed due to a temporary failure of the server.', 503);
    if (!quotas.take('aws-config', `${account}.${region}`).allowed) return error('ThrottlingException', 'Rate exceeded');
    if (refusal !== null) return error(refusal.type, refusal.message);
    const carryOut = operations[operation];
    if (carryOut === undefined) return error('UnknownOperationException', `The simulator does not know ${operation}`);
    try {
      const known = { account: identity.account, region: identity.region };
      const answer = (): string => {
        const body = carryOut({ ...known, input, faults, offset, binding });
        const announced = { ...body, ProviderAnnouncement: { Level: 'FUTURE', Text: 'A field that no client knows.' } };
        return JSON.stringify(strikes(faults, 'unknown-enum-and-fields') ? announced : body);
      };
      return send(200, (faults.length === 0 ? kept : madeAnew).of(`${binding} ${String(offset)}`, answer));
    } catch (caught) {
      if (caught instanceof InvalidExpression) return error('InvalidExpressionException', caught.message);
      if (caught instanceof AwsError) return error(caught.type, caught.message, caught.status);
      throw caught;
    }
  };
}

function detailOf(operation: string, input: JsonObject): string {
  if (operation === 'SelectResourceConfig' || operation === 'SelectAggregateResourceConfig') {
    const expression = text(input, 'Expression');
    const types = [...expression.matchAll(/'(AWS::[A-Za-z0-9:]+)'/g)].map((match) => match[1] ?? '');
    const counting = /COUNT\s*\(/i.test(expression) ? 'count ' : '';
    return `${counting}${types.length === 0 ? '*' : types.length > 3 ? `${types[0] ?? ''}+${String(types.length - 1)}` : types.join(',')}`;
  }
  return (
    text(input, 'ConfigRuleName') ||
    text(input, 'ConformancePackName') ||
    text(input, 'resourceType') ||
    text(object(input['Filters']), 'ResourceType') ||
    text(input, 'GroupByKey') ||
    '-'
  );
}
