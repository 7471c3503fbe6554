import { isJsonObject, type JsonObject } from '../../model/index.ts';

/** Larger than any documented page by far: what is beyond it is not a page. */
const maxBodyBytes = 64 * 1024 * 1024;

/** Something that answered with HTTP success but is no answer of the service. */
export class MalformedResponseError extends Error {
  override readonly name = 'MalformedResponseError';
}

export async function readBody(body: unknown, timeoutMs: number): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body;
  const stream = body as AsyncIterable<Uint8Array> & { destroy?(error?: Error): void };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = Object.assign(new Error(`the response body did not end within ${timeoutMs} ms`), { name: 'TimeoutError' });
      reject(error);
      stream.destroy?.(error);
    }, timeoutMs);
  });
  const whole = (async () => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of stream) {
      size += chunk.length;
      if (size > maxBodyBytes) throw new MalformedResponseError(`the response is larger than ${maxBodyBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  })();
  whole.catch(() => undefined);
  try {
    return await Promise.race([whole, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Parses the body as received; an answer that is not a JSON object is malformed. UTF-8 is checked: a replacement character would hide damage. */
export function parseBody(bytes: Uint8Array): JsonObject {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new MalformedResponseError(`the response is not JSON: ${(error as Error).message}`);
  }
  if (!isJsonObject(json)) throw new MalformedResponseError('the response is not a JSON object');
  return json;
}

function strange(httpStatusCode: number, due: string): Error {
  const name = httpStatusCode >= 500 ? 'InternalFailure' : 'MalformedResponseError';
  return Object.assign(new Error(`HTTP ${httpStatusCode} with a body that is not ${due}`), { name, $metadata: { httpStatusCode } });
}

/** Meets an answer that is no answer of AWS Config before the SDK tries to make sense of it: a proxy's error page, say. */
export function checkBody(bytes: Uint8Array, httpStatusCode: number): JsonObject {
  try {
    return parseBody(bytes);
  } catch (error) {
    if (httpStatusCode < 400) throw error;
    throw strange(httpStatusCode, 'JSON');
  }
}

/** What an answer of AWS STS has to spell out: of half an answer the SDK makes credentials that are none. */
const identityParts: Readonly<Record<string, readonly string[]>> = {
  AssumeRole: ['AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration'],
  GetCallerIdentity: ['Account', 'Arn'],
};

/** The same for AWS STS, which answers in XML. */
export function checkIdentityBody(operation: string, bytes: Uint8Array, httpStatusCode: number): void {
  const text = Buffer.from(bytes).toString('utf8').trim();
  if (httpStatusCode >= 400) {
    if (!/<ErrorResponse[\s>]/.test(text)) throw strange(httpStatusCode, 'an error of AWS STS');
    return;
  }
  const lacking = (identityParts[operation] ?? []).find((part) => !new RegExp(`<${part}>[^<]+</${part}>`).test(text));
  if (!text.endsWith(`</${operation}Response>`) || lacking !== undefined)
    throw new MalformedResponseError(
      `the response is not that of ${operation}${lacking === undefined ? ': it does not end as one' : `: it holds no ${lacking}`}`,
    );
}
