import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readPemCertificates } from '../../../src/pack/sign/certificate.ts';
import type { Certificate } from '../../../src/pack/sign/certificate.ts';
import { checkPath } from '../../../src/pack/sign/path.ts';
import { temporaryDirectory } from '../../support/pack-run.ts';
import { has, shell } from '../../support/programs.ts';

/** Chains that lead to the right root, and ought not to be followed. */
describe.skipIf(!has('openssl'))('a chain', () => {
  let directory: string;
  const read = (name: string): Certificate => readPemCertificates(readFileSync(join(directory, `${name}.crt`), 'utf8'))[0] as Certificate;
  const path = (...names: string[]): string | null => {
    const [leaf, ...chain] = names.map(read);
    return checkPath(leaf as Certificate, chain);
  };
  beforeAll(() => {
    directory = temporaryDirectory('chains');
    const made = shell(
      `set -e
issue() { # name, issuer, extensions, key, digest
  openssl req -newkey \${4:-ec} $(test "\${4:-ec}" = ec && echo -pkeyopt ec_paramgen_curve:P-256) -nodes -keyout $1.key -out $1.csr -subj /CN=$1
  printf "$3" > $1.ext
  if [ "$2" = self ]; then openssl x509 -req -in $1.csr -signkey $1.key -days 3000 -extfile $1.ext -out $1.crt
  else openssl x509 -req -in $1.csr -CA $2.crt -CAkey $2.key -CAcreateserial -days 2000 -extfile $1.ext \${5:--sha256} -out $1.crt; fi
}
authority='basicConstraints=critical,CA:TRUE\\nkeyUsage=critical,keyCertSign'
leaf='keyUsage=critical,digitalSignature\\nextendedKeyUsage=emailProtection'
issue root self "$authority"
issue short root 'basicConstraints=critical,CA:TRUE,pathlen:0\\nkeyUsage=critical,keyCertSign'
issue below short "$authority"
issue leaf short "$leaf"
issue deep below "$leaf"
issue narrow root "$authority\\nnameConstraints=critical,permitted;DNS:example.org"
issue outside narrow "$leaf"
issue small root "$authority" rsa:1024
issue cheap small "$leaf"
issue old root "$leaf" ec -sha1
issue nobody root "$leaf"
issue under nobody "$leaf"`,
      directory,
    );
    expect(made.status, made.output).toBe(0);
  });

  test('as authorities issue them holds', () => {
    expect(path('leaf', 'short', 'root')).toBeNull();
    expect(path('root')).toBeNull();
  });

  test.each([
    [['deep', 'below', 'short', 'root'], 'may not issue to an authority below it'],
    [['outside', 'narrow', 'root'], 'critical extension that is not understood (2.5.29.30)'],
    [['cheap', 'small', 'root'], 'has a key of 1024 bits'],
    [['old', 'root'], 'is signed by a digest that is not accepted'],
    [['under', 'nobody', 'root'], 'may not issue certificates'],
    [['leaf', 'root'], 'was not issued by'],
  ])('%j is not followed', (names, why) => {
    expect(path(...names)).toContain(why);
  });
});
