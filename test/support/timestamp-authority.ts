import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  bits,
  boolean,
  child,
  context,
  der,
  integer,
  octets,
  oid,
  readDer,
  sequence,
  setOf,
  sortedMembers,
  tags,
  time,
  utf8,
} from '../../src/pack/sign/der.ts';
import { readCertificate, writePem } from '../../src/pack/sign/certificate.ts';
import type { Certificate } from '../../src/pack/sign/certificate.ts';
import { oids } from '../../src/pack/sign/oids.ts';

export type TimestampFault =
  | 'refuse'
  | 'other-imprint'
  | 'other-nonce'
  | 'other-purpose'
  | 'other-root'
  | 'bad-signature'
  | 'oversize'
  | 'garbage'
  | 'hang'
  | 'http-500'
  | 'no-certificate-id';

/** An RFC 3161 authority on loopback that misbehaves on demand. */
export interface TestAuthority {
  readonly url: string;
  readonly rootPem: string;
  readonly root: Certificate;
  requests: number;
  /** What is wrong with the answer to the nth request, counted from 0. */
  fault: (n: number) => TimestampFault | null;
  close(): Promise<void>;
}

export async function startTimestampAuthority(): Promise<TestAuthority> {
  const root = identity('TSA root', null, [boolean(true)], null);
  const good = identity('TSA', root, [], oids.timeStamping);
  const wrongPurpose = identity('TSA with another purpose', root, [], oids.emailProtection);
  const otherRoot = identity('Other root', null, [boolean(true)], null);
  const stranger = identity('TSA of another root', otherRoot, [], oids.timeStamping);

  const answer = (request: Buffer, fault: TimestampFault | null): Buffer => {
    if (fault === 'refuse') return sequence(sequence(integer(2)));
    const query = readDer(request);
    const imprint =
      fault === 'other-imprint'
        ? sequence(sequence(oid(oids.sha256)), octets(createHash('sha256').update('something else').digest()))
        : child(query, 1).raw;
    const nonce = fault === 'other-nonce' ? integer(4711) : child(query, 2).raw;
    const issuer = fault === 'other-purpose' ? wrongPurpose : fault === 'other-root' ? stranger : good;
    const now = der(tags.generalizedTime, Buffer.from(`${new Date().toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`));
    const info = sequence(integer(1), oid('1.2.3.4'), imprint, integer(7), now, nonce);
    const attribute = (type: string, value: Buffer): Buffer => sequence(oid(type), setOf(value));
    const attributes = sortedMembers([
      attribute(oids.contentType, oid(oids.tstInfo)),
      attribute(oids.messageDigest, octets(createHash('sha256').update(info).digest())),
      ...(fault === 'no-certificate-id'
        ? []
        : [
            attribute(
              oids.signingCertificateV2,
              sequence(sequence(sequence(octets(createHash('sha256').update(issuer.certificate.der).digest())))),
            ),
          ]),
    ]);
    const signature = sign('sha256', fault === 'bad-signature' ? Buffer.from('x') : der(tags.set, ...attributes), issuer.key);
    const sha256 = sequence(oid(oids.sha256));
    const signed = sequence(
      integer(3),
      setOf(sha256),
      sequence(oid(oids.tstInfo), context(0, octets(info))),
      context(0, issuer.certificate.der),
      setOf(
        sequence(
          integer(1),
          sequence(issuer.certificate.issuer, der(tags.integer, issuer.certificate.serial)),
          sha256,
          context(0, ...attributes),
          sequence(oid(oids.ecdsaWithSha256)),
          octets(signature),
        ),
      ),
    );
    return sequence(sequence(integer(0)), sequence(oid(oids.signedData), context(0, signed)));
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const fault = authority.fault(authority.requests);
      authority.requests += 1;
      if (fault === 'hang') return;
      if (fault === 'http-500') response.writeHead(500).end();
      else if (fault === 'garbage') response.end('<html>hello</html>');
      else if (fault === 'oversize') response.end(Buffer.alloc(200_000));
      else response.writeHead(200, { 'content-type': 'application/timestamp-reply' }).end(answer(Buffer.concat(chunks), fault));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const authority: TestAuthority = {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/tsr`,
    root: root.certificate,
    rootPem: writePem(root.certificate.der),
    requests: 0,
    fault: () => null,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
  return authority;
}

interface Identity {
  readonly certificate: Certificate;
  readonly key: KeyObject;
}

let serial = 100;

function identity(name: string, issuer: Identity | null, basicConstraints: Buffer[], purpose: string | null): Identity {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = sequence(setOf(sequence(oid(oids.commonName), utf8(name))));
  const algorithm = sequence(oid(oids.ecdsaWithSha256));
  const extensions = [
    sequence(oid(oids.basicConstraints), boolean(true), octets(sequence(...basicConstraints))),
    ...(purpose === null ? [] : [sequence(oid(oids.extendedKeyUsage), boolean(true), octets(sequence(oid(purpose))))]),
  ];
  const tbs = sequence(
    context(0, integer(2)),
    integer(serial++),
    algorithm,
    issuer === null ? subject : issuer.certificate.subject,
    sequence(time(new Date(Date.now() - 86_400_000)), time(new Date(Date.now() + 86_400_000 * 3650))),
    subject,
    pair.publicKey.export({ format: 'der', type: 'spki' }),
    context(3, sequence(...extensions)),
  );
  const signature = sign('sha256', tbs, issuer === null ? pair.privateKey : issuer.key);
  return { certificate: readCertificate(sequence(tbs, algorithm, bits(signature))), key: pair.privateKey };
}
