import { type Citation, isJsonObject } from '../../model/index.ts';
import { parseArn } from '../lookups/references.ts';
import type { Candidate, Candidates } from './access-aws-identities.ts';
import { orderReaders, type Reader } from './access-principal.ts';
import {
  coversAction,
  coversAll,
  coversResource,
  narrowedBy,
  type PolicyPrincipal,
  principalsOf,
  type Statement,
} from './policy-document.ts';

export interface Allowed {
  readonly readers: readonly Reader[];
  readonly unsettled: readonly string[];
  /** Why there may be further ones: a policy of the account itself that is missing or cannot be read. */
  readonly gap: string | null;
}

/** Identities of an account whose collected policies allow one of some actions on a resource, each with the candidates for it. */
export function allowedByIam(asked: readonly (readonly [action: string, Candidates])[], resources: readonly string[]): Allowed {
  const found = new Map<string, Reader>();
  for (const [action, candidates] of asked)
    for (const candidate of candidates.found) {
      const known = found.get(candidate.identity.arn);
      if (known?.conditional === false) continue;
      const reader = decide(candidate, action, resources);
      if (reader !== null && (known === undefined || !reader.conditional)) found.set(candidate.identity.arn, reader);
    }
  return {
    readers: orderReaders([...found.values()]),
    unsettled: [...new Set(asked.flatMap(([, { unsettled }]) => unsettled))],
    gap: asked.map(([, { gap }]) => gap).find((gap) => gap !== null) ?? null,
  };
}

function decide({ identity, allows, denies, boundary, readers }: Candidate, action: string, resources: readonly string[]): Reader | null {
  const covers = (statement: Statement): boolean => coversResource(statement, resources, false);
  let allow: Candidate['allows'][number] | null = null;
  for (const one of allows) {
    if (allow !== null && (allow.statement.condition === null || one.statement.condition !== null)) continue;
    if (covers(one.statement)) allow = one;
  }
  if (allow === null) return null;
  let doubtful = false;
  for (const statement of denies) {
    if (!covers(statement)) continue;
    // A deny on part of the resources, or under a condition, leaves the rest readable.
    if (statement.condition === null && coversAll(statement, resources, false)) return null;
    doubtful = true;
  }
  if (boundary !== undefined) {
    if (boundary?.some((statement) => statement.effect === 'Allow' && covers(statement)) === false) return null;
    doubtful = doubtful || boundary === null || boundary.some((statement) => statement.condition !== null || statement.effect === 'Deny');
  }
  // The same identity reads thousands of stores in the same way: one object stands for it.
  const conditional = allow.statement.condition !== null || doubtful;
  const memo = `${allow.name}\u0000${conditional}`;
  let reader = readers.get(memo);
  if (reader === undefined) {
    reader = {
      principal: identity.arn,
      kind: identity.kind,
      via: `IAM ${allow.name} (${action})`,
      conditional,
      wide: false,
      citation: allow.citation,
      ...(allow.through ? { through: allow.through } : {}),
    };
    readers.set(memo, reader);
  }
  return reader;
}

/** What is asked of a resource policy. */
export interface PolicyQuestion {
  readonly action: string;
  readonly resources: readonly string[];
  /** The account of the resource. */
  readonly own: string;
  /** The account of the store that the question is about: another one where its key lies elsewhere. */
  readonly home: string;
  /** The canonical user that the own account goes by, where the record names it. */
  readonly owner?: string | null;
  readonly what: string;
  readonly citation: Citation;
}

export interface Admitted {
  readonly readers: readonly Reader[];
  /** Accounts that are the question's own and whose IAM policies are left to decide. */
  readonly delegates: ReadonlySet<string>;
  readonly unsettled: readonly string[];
  /** Why someone may be admitted whom the evidence does not name. */
  readonly gap: string | null;
}

/** Principals that a resource policy admits to an action. */
export function admitted(statements: readonly Statement[], question: PolicyQuestion): Admitted {
  const { action, resources, own, home, what, citation } = question;
  const covering = statements.filter((statement) => coversAction(statement, action) && coversResource(statement, resources, true));
  const denies = covering.filter((statement) => statement.effect === 'Deny');
  const certain = denies.filter((statement) => statement.condition === null && statement.notPrincipal === undefined);
  // Only a deny of all of the store takes a reader away: one of a part leaves the rest readable.
  const whole = certain.filter((statement) => coversAll(statement, resources, true));
  const readers: Reader[] = [];
  const unsettled = new Set<string>();
  const delegates = new Set<string>();
  let gap: string | null = null;
  if (whole.some(namesEveryone)) return { readers, delegates, unsettled: [], gap };
  const named = whole.flatMap((statement) => principalsOf(statement)).filter(({ kind }) => kind !== 'everyone');
  const denied = new Set(named.map(({ principal }) => principal));
  if (certain.length < denies.length) unsettled.add(`statements of the ${what} that deny under conditions`);
  if (whole.length < certain.length) unsettled.add(`statements of the ${what} that deny a part`);
  for (const statement of covering) {
    if (statement.effect !== 'Allow') continue;
    const via = `${what} statement ${statement.sid ? `"${statement.sid}"` : statement.at}`;
    for (const principal of principalsOf(statement)) {
      if (denied.has(principal.principal)) continue;
      for (const one of narrowed(principal, statement, question)) {
        if (one.gap !== undefined) {
          gap ??= one.gap;
          unsettled.add(one.gap);
        }
        // The key of another account may be left to the account of the store, whose identities then need an IAM policy for it.
        if (one.kind === 'account' && (one.account === own ? principal.kind === 'account' : one.account === home))
          delegates.add(one.account);
        else if (!(one.kind === 'canonical-user' && one.principal === question.owner))
          readers.push({
            principal: one.principal,
            kind: one.kind,
            via,
            conditional: statement.condition !== null,
            wide: one.wide,
            citation,
          });
      }
    }
  }
  return { readers, delegates, unsettled: [...unsettled], gap };
}

/** A deny of `*` among services or federated users is none of everyone. */
function namesEveryone({ principal }: Statement): boolean {
  return principal === '*' || (isJsonObject(principal) && [principal['AWS']].flat().includes('*'));
}

interface Named extends Pick<Reader, 'principal' | 'kind' | 'wide'> {
  readonly account: string;
  readonly gap?: string;
}

function narrowed(principal: PolicyPrincipal, statement: Statement, { own, home, owner, what }: PolicyQuestion): Named[] {
  const foreign = (account: string | null | undefined): boolean => account !== own && account !== home;
  if (principal.kind !== 'everyone') {
    const outside = principal.account !== null && foreign(principal.account);
    const account = principal.account ?? '';
    if (principal.kind === 'canonical-user' && principal.principal !== owner)
      return [
        {
          ...principal,
          account,
          wide: false,
          gap: `whether canonical user ${principal.principal} is a whole other account is not in the evidence`,
        },
      ];
    return [
      {
        principal: principal.principal,
        kind: outside && principal.kind !== 'account' ? `${principal.kind} of another account` : principal.kind,
        wide: principal.kind === 'account' && outside,
        account,
      },
    ];
  }
  const { accounts: only, arns, organizations, accessPoints, networks } = narrowedBy(statement.condition);
  if (arns)
    return arns.map((arn) => {
      const account = parseArn(arn)?.account ?? '';
      return { principal: arn, kind: 'named by condition', wide: /[*?]/.test(arn) && foreign(account), account };
    });
  if (only)
    return only.map((account) => ({
      principal: `every principal of account ${account}`,
      kind: 'account',
      wide: foreign(account),
      account,
    }));
  if (accessPoints)
    return accessPoints.map((account) => ({
      principal: `whoever the access points of account ${account} admit`,
      kind: 'access points',
      wide: foreign(account),
      account,
      gap: `the ${what} leaves it to access points, whose policies are not in the evidence`,
    }));
  if (organizations)
    return organizations.map((organization) => ({
      principal: `every principal of organisation ${organization}`,
      kind: 'organisation',
      wide: true,
      account: '',
    }));
  if (networks)
    return [
      {
        principal: `whoever comes through ${networks.join(' or ')}`,
        kind: 'everyone within a network',
        wide: false,
        account: '',
        gap: `the ${what} leaves it to the network, and who is in it is not in the evidence`,
      },
    ];
  return [{ principal: principal.principal, kind: 'everyone', wide: true, account: '' }];
}
