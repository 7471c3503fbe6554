import type { Citation } from '../model/index.ts';
import type { BagInfo } from './info.ts';
import { oneLine, timestampText } from './info.ts';
import { packFiles } from './layout.ts';

/** VERIFY.txt: how anyone checks the pack with tools they already have. ASCII, at most 100 columns where a command allows it. */
export function writeInstructions(bag: BagInfo): string {
  const cited = bag.example ?? { file: 'evidence/ledger.json', pointer: '/runId', encoding: 'json' };
  const path = jqPath(cited);
  return `HOW TO VERIFY THIS PACK WITHOUT TRUSTING WHOEVER MADE IT
=========================================================

Pack        ${ascii(bag.info.runId)}
Engagement  ${ascii(bag.info.engagement.title)}
Signed by   ${ascii(bag.signer.subject)}
Root        SHA-256 ${bag.signer.rootFingerprint}
Timestamp   ${ascii(timestampText(bag.timestamp))}

You need: sha256sum, openssl, unzip, jq; for the PDF also pdfsig (poppler-utils) and certutil (libnss3-tools).
Run the commands in the directory that holds this file (unzip pack.zip -d pack && cd pack), in one shell;
T is a directory for what they make on the way:

  T=$(mktemp -d)

The ZIP ends in the digest of every byte before it. Where you have the one that sealing wrote (another tool that packed
it again leaves no digest), this tells damage to the container, before anything in it is looked at:

  test "$(head -c -64 ../pack.zip | sha256sum | cut -c-64)" = "$(tail -c 64 ../pack.zip)" && echo container unaltered

0. WHO: get the fingerprint of the root from someone you trust
---------------------------------------------------------------
The fingerprint above proves nothing by itself: whoever changed this pack could have changed it too. Ask the
person responsible for the key, by telephone or in a signed letter, for the SHA-256 fingerprint of the root
certificate, and compare all of it with the output of this command (the root is the last certificate):

  awk '/BEGIN/{pem=""} {pem=pem $0 "\\n"} END{printf "%s", pem}' ${packFiles.certificates} > $T/root.pem
  openssl x509 -in $T/root.pem -noout -fingerprint -sha256 -subject -enddate

If you were given root.crt itself by another way, use that file below instead of $T/root.pem.

1. NOTHING ALTERED: every file has the digest that the manifests state
-----------------------------------------------------------------------
  sha256sum --quiet --strict -c ${packFiles.manifest} ${packFiles.root} ${packFiles.signatureDigests} && echo unaltered

2. NOTHING ADDED: every file is in one of those manifests
---------------------------------------------------------
  (cut -c67- ${packFiles.manifest} ${packFiles.root} ${packFiles.signatureDigests}; \\
   printf '%s\\n' ${packFiles.root} ${packFiles.signatureDigests}) | LC_ALL=C sort > $T/listed
  find . ! -type d | cut -c3- | LC_ALL=C sort | diff $T/listed - && echo nothing added

3. SIGNED: the manifest of manifests carries the signer's signature
--------------------------------------------------------------------
  openssl cms -verify -binary -cades -inform DER -in ${packFiles.signature} \\
    -content ${packFiles.root} -CAfile $T/root.pem -out /dev/null

It must print "CAdES Verification successful" (OpenSSL 1.1 knows no -cades here: leave it out, and it says "CMS").${bag.timestamp.status === 'granted' ? timestampCommands() : ''}

4. THE PDF: its own signature
------------------------------
  mkdir -p $T/nss && certutil -N --empty-password -d sql:$T/nss
  certutil -A -n exhibit-root -t "CT,C,C" -i $T/root.pem -d sql:$T/nss
  pdfsig -nssdir sql:$T/nss data/report.pdf

It must say "Signature is Valid", "Total document signed" and "Certificate is Trusted", for exactly one
signature. "Total document signed" matters: a PDF to which pages were appended still has a valid signature.
A PDF reader such as Adobe Acrobat does the same once the root is imported as a trusted certificate.

5. A FIGURE: follow any observation of the report to the raw response of the provider
--------------------------------------------------------------------------------------
The report cites a file and a JSON pointer. One of this pack:
  ${cited.file}#${cited.pointer}
Read it${cited.encoding === 'json-string' ? ' (a page of AWS Config holds strings that are themselves JSON, hence fromjson)' : ''}:
  jq -a '${path}' data/${cited.file}
or without unpacking, beside the ZIP:
  unzip -p pack.zip data/${cited.file} | jq -a '${path}'
query.json beside the page holds the exact query, its parameters, the identity that asked, the times, and the
SHA-256 of each page. All failing observations with their citations, a line each (-a: names are a stranger's text, and
may hold what a terminal obeys):
  jq -ac 'select(.status == "fail") | [.control, .subject.uid, .reason, (.citations[0] | .file + "#" + .pointer)]' data/results/observations.ndjson

6. OPTIONAL: the same signature in the formats of software supply chains
-------------------------------------------------------------------------
  openssl x509 -in ${packFiles.certificates} -noout -pubkey > $T/key.pem
  cosign verify-blob --key $T/key.pem --bundle ${packFiles.bundle} \\
    --insecure-ignore-tlog ${packFiles.root}
or, with openssl alone:
  jq -r .messageSignature.signature ${packFiles.bundle} | base64 -d > $T/signature
  openssl dgst -sha256 -verify $T/key.pem -signature $T/signature ${packFiles.root}
${packFiles.attestation} is an in-toto statement about the pack; read it with
  jq -r .dsseEnvelope.payload ${packFiles.attestation} | base64 -d | jq .

All of this at once: exhibit verify PACK --fingerprint THE-ONE-YOU-WERE-GIVEN (also for a ZIP). It is a
convenience; the commands above are the authority.

WHAT THIS PROVES, AND WHAT IT DOES NOT
--------------------------------------
It proves that the files are those that the holder of the signing key sealed, all of them and no others, and,
if the fingerprint reached you by another way, whose key that is.
It does not prove that the cloud provider said what the pages hold: the provider does not sign its responses,
and whoever ran the collection could have changed them before sealing. Ask the provider again for a sample,
with the queries that the pack states.
It does not prove when the pack was signed, unless "Timestamp" above names an authority.
The signer's certificate is valid until ${bag.signer.notAfter.slice(0, 10)}. After that day openssl needs -no_check_time and pdfsig says
"Certificate has Expired"; a signature that was right does not become wrong by it, but without a timestamp
nothing shows any more that it was made before.
It does not prove that this pack is the only one: compare Exhibit-Previous-Pack in ${packFiles.info} with the
SHA-256 of ${packFiles.root} in the pack before it.
${packFiles.signatureDigests} only guards against accidents: it is not signed, and need not be.
`;
}

/** A JSON pointer in jq's words. Pointers of evidence are names and numbers; a number is a place in a list. */
export function jqPath(citation: Pick<Citation, 'pointer' | 'encoding'>): string {
  const steps = citation.pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((token, index) =>
      /^\d+$/.test(token)
        ? `[${token}]`
        : /^[A-Za-z_]\w*$/.test(token)
          ? `${index === 0 ? '' : '.'}${token}`
          : `[${JSON.stringify(token).replaceAll("'", '\\u0027')}]`,
    );
  return `.${steps.join('')}${citation.encoding === 'json-string' ? ' | fromjson' : ''}`;
}

/** The token is over the signature value; both are cut out of the signature file where its structure says they lie. */
function timestampCommands(): string {
  return `

The signature carries a token of a timestamp authority (RFC 3161). With the authority's root certificate, had
from the authority, in a file whose name is in TSA:
  openssl asn1parse -inform DER -in ${packFiles.signature} | awk '{sub(/^ +/, ""); split($0, p, /[:= ]+/)}
    /OCTET STRING/ {at = p[1] + p[5]; len = p[7]} /timeStampToken/ {print at, len; found = 1; next}
    found && /SEQUENCE/ {print p[1], p[5] + p[7]; exit}' > $T/places
  { read at len; tail -c +$((at + 1)) ${packFiles.signature} | head -c $len > $T/value
    read at len; tail -c +$((at + 1)) ${packFiles.signature} | head -c $len > $T/token; } < $T/places
  openssl ts -verify -token_in -in $T/token -data $T/value -CAfile $TSA
  openssl ts -reply -token_in -in $T/token -token_out -text | grep "Time stamp:"`;
}

function ascii(text: string): string {
  return oneLine(text).replace(/[^\x20-\x7e]/g, '?');
}
