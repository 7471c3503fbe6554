import { type Citation, isJsonObject, type Json, type Resource } from '../../model/index.ts';
import { isRedacted } from '../language/values.ts';
import { parseArn, valueAt } from '../lookups/references.ts';
import { isGiven, toldAt } from '../lookups/told.ts';
import { awsReadActions } from './access-aws-stores.ts';
import type { Reader } from './access-principal.ts';
import { coversAction, policyStatements, type Statement } from './policy-document.ts';

export const awsIdentityTypes = ['AWS::IAM::Role', 'AWS::IAM::User', 'AWS::IAM::Group', 'AWS::IAM::Policy'] as const;

/** AWS managed policies that allow everything, or all but identity management: true by their definition, of which no account holds a copy. */
const managedThatAllow: Readonly<Record<string, Statement[]>> = {
  AdministratorAccess: policyStatements({ Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }) ?? [],
  PowerUserAccess:
    policyStatements({ Statement: [{ Effect: 'Allow', NotAction: ['iam:*', 'organizations:*', 'account:*'], Resource: '*' }] }) ?? [],
};

interface NamedPolicy {
  readonly name: string;
  readonly statements: readonly Statement[];
}

interface Identity {
  readonly arn: string;
  readonly name: string;
  readonly kind: 'role' | 'user' | 'group';
  readonly inline: readonly NamedPolicy[];
  readonly attached: readonly string[];
  readonly groups: readonly string[];
  readonly boundary: string | null;
  readonly unreadable: boolean;
  readonly citation: Citation;
}

/** A policy of an account as far as it bears on reading data; null where it cannot be read. */
interface HeldPolicy {
  readonly statements: readonly Statement[] | null;
  readonly citation: Citation;
}

/** A statement with the policy that it is of, the record that holds it and those that lead from it to the identity. */
interface Allow extends Pick<Reader, 'citation' | 'through'> {
  readonly name: string;
  readonly statement: Statement;
}

/** An identity that some statement allows an action, and the statements that speak of the action. */
export interface Candidate {
  readonly identity: Identity;
  readonly allows: readonly Allow[];
  readonly denies: readonly Statement[];
  /** Its permissions boundary as far as it speaks of the action; null where that is not in the evidence, absent where there is none. */
  readonly boundary?: readonly Statement[] | null;
  /** The readers that it makes, by way and condition. */
  readonly readers: Map<string, Reader>;
}

export interface Candidates {
  readonly found: readonly Candidate[];
  readonly unsettled: readonly string[];
  readonly gap: string | null;
}

interface AccountIdentities {
  readonly principals: Identity[];
  readonly groups: Map<string, Identity>;
  readonly policies: Map<string, HeldPolicy>;
}

/** The IAM identities of every account and the policies they hold, as far as they bear on reading data. */
export interface AwsIdentities {
  add(resource: Resource): void;
  /** Those of an account that some statement allows an action at all: the few that have to be asked for each resource. */
  candidates(account: string, action: string): Candidates;
}

export function awsIdentities(): AwsIdentities {
  const accounts = new Map<string, AccountIdentities>();
  const candidates = new Map<string, Candidates>();

  const accountOf = (account: string): AccountIdentities => {
    let known = accounts.get(account);
    if (!known) accounts.set(account, (known = { principals: [], groups: new Map(), policies: new Map() }));
    return known;
  };

  function add(resource: Resource): void {
    const { document, type, account } = resource;
    if (type === 'AWS::IAM::Policy') {
      const versions = valueAt(document, 'configuration', 'policyVersionList');
      const current = (Array.isArray(versions) ? versions : []).find((version) => valueAt(version, 'isDefaultVersion') === true);
      const statements = policyStatements(valueAt(current, 'document'));
      accountOf(account).policies.set(toldAt(document, 'configuration', 'arn') ?? resource.uid, {
        statements: statements && statements.filter(relevant),
        citation: resource.citation,
      });
      return;
    }
    const kinds: Readonly<Record<string, Identity['kind']>> = {
      'AWS::IAM::Role': 'role',
      'AWS::IAM::User': 'user',
      'AWS::IAM::Group': 'group',
    };
    const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
    if (!kind) return;
    const list = (name: string): Json[] | null => {
      const value = valueAt(document, 'configuration', name);
      return Array.isArray(value) ? value : value === undefined || value === null ? [] : null;
    };
    const inline = list(`${kind}PolicyList`);
    const attached = list('attachedManagedPolicies');
    const policies = (inline ?? []).map((policy) => ({
      name: toldAt(policy, 'policyName') ?? '',
      statements: policyStatements(valueAt(policy, 'policyDocument')),
    }));
    const groups = kind === 'user' ? list('groupList') : [];
    const policyArns = (attached ?? []).map((policy) => toldAt(policy, 'policyArn'));
    const memberships = (groups ?? []).map((group) => (typeof group === 'string' && !isRedacted(group) ? group : null));
    const identity: Identity = {
      arn: resource.uid,
      name: toldAt(document, 'configuration', `${kind}Name`) ?? resource.name,
      kind,
      inline: policies.flatMap(({ name, statements }) => (statements ? [{ name, statements: statements.filter(relevant) }] : [])),
      attached: policyArns.filter((arn) => arn !== null),
      groups: memberships.filter((group) => group !== null),
      // One that is there and cannot be read is a policy that is not in the evidence.
      boundary:
        toldAt(document, 'configuration', 'permissionsBoundary', 'permissionsBoundaryArn') ??
        (isGiven(document, 'configuration', 'permissionsBoundary') ? '' : null),
      unreadable:
        inline === null ||
        policyArns.includes(null) ||
        memberships.includes(null) ||
        attached === null ||
        groups === null ||
        isRedacted(resource.uid) ||
        !isJsonObject(valueAt(document, 'configuration')) ||
        policies.some(({ statements }) => statements === null),
      citation: resource.citation,
    };
    if (kind === 'group') accountOf(account).groups.set(identity.name, identity);
    else accountOf(account).principals.push(identity);
  }

  /** Made once for each account and action: thousands of stores ask. */
  function candidatesOf(account: string, action: string): Candidates {
    const memo = `${account} ${action}`;
    const known = candidates.get(memo);
    if (known) return known;
    const book = accountOf(account);
    const found: Candidate[] = [];
    const unseen = new Map<string, number>();
    const unreadable = new Set<string>();
    const covers = (statement: Statement): boolean => coversAction(statement, action);
    for (const identity of book.principals) {
      for (const group of identity.groups) if (!book.groups.has(group)) unreadable.add(`group ${group}`);
      const allows: Allow[] = [];
      const denies: Statement[] = [];
      /** Third: the way from the record that holds the policy to that of the identity. */
      const take = (name: string, statements: readonly Statement[], [citation, ...through]: readonly [Citation, ...Citation[]]): void => {
        for (const statement of statements) {
          if (!covers(statement)) continue;
          if (statement.effect === 'Deny') denies.push(statement);
          else allows.push({ name, statement, citation, ...(through.length === 0 ? {} : { through }) });
        }
      };
      for (const member of [identity, ...identity.groups.flatMap((group) => book.groups.get(group) ?? [])]) {
        const from = member === identity ? '' : `group ${member.name}, `;
        const holder: [Citation, ...Citation[]] = member === identity ? [identity.citation] : [member.citation, identity.citation];
        if (member.unreadable) unreadable.add(member.arn);
        for (const policy of member.inline) take(`${from}inline policy ${policy.name}`, policy.statements, holder);
        for (const arn of member.attached) {
          const statements = statementsOf(book, arn);
          const own = book.policies.get(arn);
          // No account holds the record of a policy that AWS owns: who attaches it is what can be cited.
          if (statements) take(`${from}policy ${arn}`, statements, own ? [own.citation, ...holder] : holder);
          else unseen.set(arn, (unseen.get(arn) ?? 0) + 1);
        }
      }
      if (allows.length === 0) continue;
      const boundary =
        identity.boundary === null ? undefined : (statementsOf(book, identity.boundary)?.filter((statement) => covers(statement)) ?? null);
      found.push({ identity, allows, denies, readers: new Map(), ...(boundary === undefined ? {} : { boundary }) });
    }
    // Policies that AWS owns are in no account's evidence; those of the account ought to be.
    const own = [...unseen.keys()].sort().filter((arn) => parseArn(arn)?.account !== 'aws');
    const broken = [...unreadable].sort().map((name) => `the policies of ${name} cannot be read`);
    const made: Candidates = {
      found,
      unsettled: [
        ...[...unseen]
          .sort()
          .map(([arn, count]) => `policy ${arn}, attached to ${count} ${count === 1 ? 'identity' : 'identities'}, is not in the evidence`),
        ...broken,
      ],
      gap: broken[0] ?? own.map((arn) => `policy ${arn} is not in the evidence or cannot be read`)[0] ?? null,
    };
    candidates.set(memo, made);
    return made;
  }

  return { add, candidates: candidatesOf };
}

function statementsOf(book: AccountIdentities, arn: string): readonly Statement[] | null {
  const parsed = parseArn(arn);
  if (parsed?.account === 'aws') {
    const name = parsed.resource.slice('policy/'.length);
    return Object.hasOwn(managedThatAllow, name) ? (managedThatAllow[name] ?? null) : null;
  }
  return book.policies.get(arn)?.statements ?? null;
}

/** Statements that bear on reading data: the rest of an account's policies need not be kept. */
function relevant(statement: Statement): boolean {
  return awsReadActions.some((action) => coversAction(statement, action));
}
