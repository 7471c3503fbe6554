import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Fault, strikes } from './faults.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What a handler answers: the reply, and the faults that strike it on its way. */
export interface Handled {
  readonly reply: Reply;
  readonly faults: readonly Fault[];
}

/** A loopback HTTP server. `clock` gives the Date header; faults of the connection are carried out here. */
export async function serveHttp(
  port: number,
  handle: (request: HttpRequest) => Handled,
): Promise<{ origin: string; close(): Promise<void> }> {
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('error', () => outgoing.destroy());
    incoming.on('end', () => {
      const origin = `http://${incoming.headers.host ?? '127.0.0.1'}`;
      let handled: Handled;
      try {
        handled = handle({
          method: incoming.method ?? 'GET',
          url: new URL(incoming.url ?? '/', origin),
          headers: incoming.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        });
      } catch (error) {
        handled = {
          reply: {
            status: 500,
            headers: { 'content-type': 'text/plain' },
            body: `simulator: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
          },
          faults: [],
        };
      }
      send(incoming, outgoing, handled);
    });
  });
  // Clients keep connections; closing an idle one under a request in flight would be a fault nobody asked for.
  server.keepAliveTimeout = 120_000;
  await listen(server, port);
  const address = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${String(address.port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

export function listen(
  server: { listen(port: number, host: string, done: () => void): unknown; once(event: 'error', done: (error: Error) => void): unknown },
  port: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      resolve();
    });
  });
}

function send(incoming: IncomingMessage, outgoing: ServerResponse, { reply, faults }: Handled): void {
  if (strikes(faults, 'hang')) return;
  if (strikes(faults, 'reset')) {
    incoming.socket.resetAndDestroy();
    return;
  }
  const body = Buffer.from(reply.body, 'utf8');
  const skew = strikes(faults, 'clock-skew') ? clockSkewMilliseconds : 0;
  const headers = { date: new Date(Date.now() + skew).toUTCString(), ...reply.headers };
  if (strikes(faults, 'truncated-body')) {
    outgoing.writeHead(reply.status, { ...headers, 'content-length': String(body.length) });
    outgoing.write(body.subarray(0, Math.floor(body.length / 2)), () => {
      incoming.socket.destroy();
    });
    return;
  }
  if (strikes(faults, 'malformed-json')) {
    const half = body.subarray(0, Math.floor(body.length / 2));
    outgoing.writeHead(reply.status, { ...headers, 'content-length': String(half.length) });
    outgoing.end(half);
    return;
  }
  if (strikes(faults, 'wrong-content-type')) {
    const page = Buffer.from(
      '<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body>Please accept the terms of use.</body></html>',
    );
    outgoing.writeHead(200, { date: headers.date, 'content-type': 'text/html; charset=utf-8', 'content-length': String(page.length) });
    outgoing.end(page);
    return;
  }
  outgoing.writeHead(reply.status, { ...headers, 'content-length': String(body.length) });
  outgoing.end(body);
}

/** How far ahead the simulator's clock runs under the `clock-skew` fault. */
export const clockSkewMilliseconds = 600_000;
