import type { Citation } from '../../model/index.ts';
import { parseArn } from '../lookups/references.ts';
import type { Candidate, Candidates } from './access-aws-identities.ts';
import { orderReaders, type Reader } from './access-principal.ts';
import { coversAction, coversResource, narrowedBy, type PolicyPrincipal, principalsOf, type Statement } from './policy-document.ts';

export interface Allowed {
  readonly readers: readonly Reader[];
  readonly unsettled: readonly string[];
  /** Why there may be further ones: a policy of the account itself that is missing or cannot be read. */
  readonly gap: string | null;
}

/** Identities of an account whose collected policies allow an action on a resource. */
export function allowedByIam({ found, unsettled, gap }: Candidates, action: string, resources: readonly string[]): Allowed {
  return { readers: orderReaders(found.flatMap((candidate) => decide(candidate, action, resources) ?? [])), unsettled, gap };
}

function decide({ identity, allows, denies, boundary, readers }: Candidate, action: string, resources: readonly string[]): Reader | null {
  const covers = (statement: Statement): boolean => coversResource(statement, resources, false);
  let allow: { name: string; conditional: boolean } | null = null;
  for (const { name, statement } of allows) {
    if (allow !== null && (!allow.conditional || statement.condition !== null)) continue;
    if (covers(statement)) allow = { name, conditional: statement.condition !== null };
  }
  if (allow === null) return null;
  let doubtful = false;
  for (const statement of denies) {
    if (!covers(statement)) continue;
    // A deny on part of the resources, or under a condition, leaves the rest readable.
    if (statement.condition === null && deniesAll(statement, resources)) return null;
    doubtful = true;
  }
  if (boundary !== undefined) {
    if (boundary?.some((statement) => statement.effect === 'Allow' && covers(statement)) === false) return null;
    doubtful = doubtful || boundary === null || boundary.some((statement) => statement.condition !== null || statement.effect === 'Deny');
  }
  // The same identity reads thousands of stores in the same way: one object stands for it.
  const conditional = allow.conditional || doubtful;
  const memo = `${allow.name}\u0000${conditional}`;
  let reader = readers.get(memo);
  if (reader === undefined) {
    reader = {
      principal: identity.arn,
      kind: identity.kind,
      via: `IAM ${allow.name} (${action})`,
      conditional,
      wide: false,
      citation: identity.citation,
    };
    readers.set(memo, reader);
  }
  return reader;
}

function deniesAll(statement: Statement, resources: readonly string[]): boolean {
  if (statement.resources?.includes('*')) return true;
  return statement.resources !== null && resources.every((resource) => statement.resources?.some((pattern) => pattern === resource));
}

/** Principals that a resource policy admits to an action. `own` is the account of the resource. */
export function admitted(
  statements: readonly Statement[],
  action: string,
  resources: readonly string[],
  own: string,
  what: string,
  citation: Citation,
): { readers: Reader[]; delegates: boolean; unsettled: string[] } {
  const covering = statements.filter((statement) => coversAction(statement, action) && coversResource(statement, resources, true));
  const denies = covering.filter((statement) => statement.effect === 'Deny');
  const readers: Reader[] = [];
  const unsettled: string[] = [];
  let delegates = false;
  if (
    denies.some(
      (statement) =>
        statement.condition === null &&
        statement.notPrincipal === undefined &&
        principalsOf(statement).some((one) => one.kind === 'everyone'),
    )
  ) {
    return { readers, delegates, unsettled };
  }
  const denied = new Set(
    denies
      .filter((statement) => statement.condition === null && statement.notPrincipal === undefined)
      .flatMap((statement) => principalsOf(statement).map((one) => one.principal)),
  );
  if (denies.some((statement) => statement.condition !== null || statement.notPrincipal !== undefined))
    unsettled.push(`statements of the ${what} that deny under conditions`);
  for (const statement of covering) {
    if (statement.effect !== 'Allow') continue;
    const via = `${what} statement ${statement.sid ? `"${statement.sid}"` : statement.at}`;
    const conditional = statement.condition !== null;
    for (const principal of principalsOf(statement)) {
      if (denied.has(principal.principal)) continue;
      if (principal.kind === 'account' && principal.account === own) {
        delegates = true;
        continue;
      }
      readers.push(...narrowed(principal, statement, own).map((one) => ({ ...one, via, conditional, citation })));
    }
  }
  return { readers, delegates, unsettled };
}

function narrowed(principal: PolicyPrincipal, statement: Statement, own: string): Pick<Reader, 'principal' | 'kind' | 'wide'>[] {
  if (principal.kind !== 'everyone') {
    const foreign = principal.account !== null && principal.account !== own;
    return [
      {
        principal: principal.principal,
        kind: foreign && principal.kind !== 'account' ? `${principal.kind} of another account` : principal.kind,
        wide: principal.kind === 'account' && foreign,
      },
    ];
  }
  const { accounts: only, arns, organizations } = narrowedBy(statement.condition);
  if (arns)
    return arns.map((arn) => ({ principal: arn, kind: 'named by condition', wide: arn.includes('*') && parseArn(arn)?.account !== own }));
  if (only) return only.map((account) => ({ principal: `every principal of account ${account}`, kind: 'account', wide: account !== own }));
  if (organizations)
    return organizations.map((organization) => ({
      principal: `every principal of organisation ${organization}`,
      kind: 'organisation',
      wide: true,
    }));
  return [{ principal: principal.principal, kind: 'everyone', wide: true }];
}
