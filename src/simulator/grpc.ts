import { constants, createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { MethodDefinition, ServiceDefinition } from '@grpc/proto-loader';
import { type Fault, strikes } from './faults.ts';
import { listen } from './http.ts';

/** gRPC status codes that the service uses. */
export const status = {
  ok: 0,
  invalidArgument: 3,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** A call that ends in a status other than OK. */
export class Refusal extends Error {
  readonly code: number;
  readonly retryAfterSeconds: number | null;
  constructor(code: number, message: string, retryAfterSeconds: number | null = null) {
    super(message);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** What becomes of a call: a serialised message or a refusal, and the faults that strike it on its way. */
export interface GrpcAnswer {
  readonly faults: readonly Fault[];
  readonly message: Buffer | null;
  readonly refusal: Refusal | null;
}

/**
 * Serves the unary methods of a service as gRPC over plain HTTP/2 on loopback. It is written on HTTP/2 itself, so that
 * faults of the connection and of the frame can be carried out.
 */
export async function serveGrpc(
  port: number,
  service: ServiceDefinition,
  answer: (method: MethodDefinition<object, object>, name: string, payload: Buffer, headers: IncomingHttpHeaders) => GrpcAnswer,
): Promise<{ address: string; close(): Promise<void> }> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => session.destroy());
  });
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => {
      stream.destroy();
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const path = headers[':path'] ?? '';
      const method = Object.values(service).find((one) => one.path === path);
      const name = path.split('/')[2] ?? '';
      const frame = Buffer.concat(chunks);
      if (method === undefined) {
        trailersOnly(stream, new Refusal(status.unimplemented, `Method not found: ${path}`));
        return;
      }
      respond(stream, answer(method, name, frame.subarray(5), headers));
    });
  });
  await listen(server, port);
  const address = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${String(address.port)}`,
    close: () =>
      new Promise((resolve) => {
        for (const session of sessions) session.destroy();
        server.close(() => {
          resolve();
        });
      }),
  };
}

function percent(message: string): string {
  return [...Buffer.from(message, 'utf8')]
    .map((byte) =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('');
}

/** google.rpc.Status with a RetryInfo detail, in wire format: how long to wait. */
function retryDetail(code: number, message: string, seconds: number): string {
  const field = (number: number, bytes: Buffer): Buffer => Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.length), bytes]);
  const delay = field(1, Buffer.concat([Buffer.from([0x08]), varint(seconds)]));
  const any = Buffer.concat([field(1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo')), field(2, delay)]);
  return Buffer.concat([Buffer.from([0x08]), varint(code), field(2, Buffer.from(message)), field(3, any)])
    .toString('base64')
    .replace(/=+$/, '');
}
function varint(value: number): Buffer {
  const out: number[] = [];
  let left = value;
  while (left > 0x7f) {
    out.push((left & 0x7f) | 0x80);
    left >>>= 7;
  }
  out.push(left);
  return Buffer.from(out);
}

function trailersOnly(stream: ServerHttp2Stream, refusal: Refusal): void {
  stream.respond(
    {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': String(refusal.code),
      'grpc-message': percent(refusal.message),
      ...(refusal.retryAfterSeconds === null
        ? {}
        : { 'grpc-status-details-bin': retryDetail(refusal.code, refusal.message, refusal.retryAfterSeconds) }),
    },
    { endStream: true },
  );
}

function respond(stream: ServerHttp2Stream, { faults, message, refusal }: GrpcAnswer): void {
  if (stream.destroyed) return;
  if (strikes(faults, 'hang')) return;
  if (strikes(faults, 'reset')) {
    // As when a connection breaks: everything on it is lost, not only this call.
    stream.session?.destroy(undefined, constants.NGHTTP2_INTERNAL_ERROR);
    return;
  }
  if (strikes(faults, 'wrong-content-type')) {
    stream.respond({ ':status': 200, 'content-type': 'text/html; charset=utf-8' });
    stream.end('<!DOCTYPE html><html><body>Please sign in to the network.</body></html>');
    return;
  }
  if (refusal !== null || message === null) {
    trailersOnly(stream, refusal ?? new Refusal(status.internal, 'no message'));
    return;
  }
  const body = strikes(faults, 'malformed-json') ? Buffer.from(message.subarray(0, Math.max(1, Math.floor(message.length / 2)))) : message;
  const header = Buffer.alloc(5);
  header.writeUInt32BE(body.length, 1);
  const framed = Buffer.concat([header, body]);
  if (strikes(faults, 'truncated-body')) {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write(framed.subarray(0, Math.floor(framed.length / 2)), () => {
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    });
    return;
  }
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => {
    stream.sendTrailers({ 'grpc-status': '0' });
  });
  stream.end(framed);
}
