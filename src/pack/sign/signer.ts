import { constants, createPrivateKey, sign as cryptoSign, verify as cryptoVerify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { PackError } from '../error.ts';
import { algorithmOf } from './certificate.ts';
import type { Algorithm, Certificate } from './certificate.ts';
import { checkPath, maySignDocuments } from './path.ts';

/**
 * Who signs a pack: a local key, or any remote one. `sign` takes the bytes to be signed (not their digest) and returns
 * an ASN.1 DER signature for ES256, PKCS#1 v1.5 for RS256. `chain` leads from the certificate's issuer up to the root.
 */
export interface Signer {
  readonly algorithm: Algorithm;
  readonly certificate: Certificate;
  readonly chain: readonly Certificate[];
  sign(tbs: Buffer): Promise<Buffer>;
}

/** A wrong key, certificate or permission: a configuration error, said so that it can be mended. */
export class SignerError extends PackError {
  override readonly name = 'SignerError';
}

/** A signer with a private key in memory. Throws SignerError when key, certificate and chain do not belong together. */
export function signerFromKey(privateKeyPem: string | Buffer, certificates: readonly Certificate[], passphrase?: string): Signer {
  const [certificate, ...chain] = certificates;
  if (certificate === undefined) throw new SignerError('there is no certificate to sign with');
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: privateKeyPem, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    throw new SignerError('the private key cannot be read: it must be PEM, and encrypted ones need their passphrase');
  }
  const algorithm = algorithmOf(key);
  if (algorithm === null) throw new SignerError('the key must be ECDSA P-256, or RSA of at least 2048 bits (not RSA-PSS)');
  if (!certificate.x509.checkPrivateKey(key)) throw new SignerError('the certificate was issued for another key');
  const path = checkPath(certificate, chain);
  if (path !== null) throw new SignerError(`the certificate chain does not hold: ${path}`);
  if (!maySignDocuments(certificate)) {
    throw new SignerError(
      'the certificate is not meant for signing documents: its key usage needs digitalSignature or nonRepudiation, and its extended usage, if it has one, documentSigning or emailProtection',
    );
  }
  return checked({ algorithm, certificate, chain, sign: (tbs) => Promise.resolve(signWith(key, tbs)) });
}

/** Wraps a signer so that every signature is verified with the certificate's public key before anyone embeds it. */
export function checked(signer: Signer): Signer {
  return {
    ...signer,
    sign: async (tbs) => {
      const signature = await signer.sign(tbs);
      if (!verifySignature(signer.certificate.publicKey, tbs, signature)) {
        throw new SignerError('the signature just made does not verify with the certificate: the key and the certificate differ');
      }
      return signature;
    },
  };
}

export function signWith(key: KeyObject, tbs: Buffer): Buffer {
  return cryptoSign(
    'sha256',
    tbs,
    key.asymmetricKeyType === 'ec' ? { key, dsaEncoding: 'der' } : { key, padding: constants.RSA_PKCS1_PADDING },
  );
}

/** True when `signature` is the key's over `tbs`, hashed with `hash`; false for anything else, malformed included. */
export function verifySignature(key: KeyObject, tbs: Buffer, signature: Buffer, hash = 'sha256'): boolean {
  try {
    return cryptoVerify(
      hash,
      tbs,
      key.asymmetricKeyType === 'ec' ? { key, dsaEncoding: 'der' } : { key, padding: constants.RSA_PKCS1_PADDING },
      signature,
    );
  } catch {
    return false;
  }
}
