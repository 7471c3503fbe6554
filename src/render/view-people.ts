import { hash } from 'node:crypto';
import type { Assessment, Citation, StoreAccess } from '../model/index.ts';
import { visible } from '../text/visible.ts';
import { pillOf, placeBeside, whoOf } from './view-control.ts';
import { cell, citationText, grouped, longDate, plural } from './text.ts';
import { distinctPrincipals } from './stores.ts';
import { waiverMarks } from './view-choices.ts';
import type { StoreView, View } from './view-schema.ts';

/** Groups, stores of a group and principals that the document prints, and holds; every store is in access.csv, every principal in readers.csv. */
const GROUPS = 300;
const STORES = 100;
const PRINCIPALS = 25;
const NOTES = 400;

interface Group {
  view: StoreView;
  count: number;
  citations: string;
  unsettled: readonly string[];
}

export interface SelectedStores {
  groups: StoreView[];
  /** Open questions, numbered from 1 in the order in which the groups name them. */
  notes: string[];
  /** Records cited, numbered from 1 likewise. */
  records: string[];
  /** Stores that are printed. */
  shown: number;
}

/**
 * Collects what the access section shows: stores that the same principals can read in the same way are one group. Groups open
 * to many come first, then those whose evidence is incomplete, then the rest.
 */
export function selectStores(): { add: (store: StoreAccess) => void; select: () => SelectedStores; seen: () => number } {
  const groups = new Map<string, Group>();
  const held: number[] = [];
  const likeness = likenesses();
  let seen = 0;
  const order = (group: Group): number => (group.view.wide ? 0 : group.view.complete ? 2 : 1);
  return {
    add: (store) => {
      seen += 1;
      const { key, citations } = likeness(store);
      let group = groups.get(key);
      if (group === undefined) {
        group = { view: groupView(store), count: 0, citations, unsettled: store.readers.unsettled };
        // No more of a rank is held than could be printed if there were no other.
        const rank = order(group);
        if ((held[rank] ?? 0) === GROUPS) return;
        held[rank] = (held[rank] ?? 0) + 1;
        groups.set(key, group);
      }
      group.count += 1;
      if (group.citations !== citations) group.view.citationsOfFirst = true;
      if (group.view.stores.length < STORES) group.view.stores.push(storeLine(store));
    },
    select: () => {
      const notes = new Map<string, number>();
      const records = new Map<string, number>();
      const numberOf = (text: string): string => {
        if (!records.has(text)) records.set(text, records.size + 1);
        return String(records.get(text));
      };
      const selected = [...groups.values()].sort((a, b) => order(a) - order(b)).slice(0, GROUPS);
      const views = selected.map(({ view, count, unsettled }) => {
        for (const note of unsettled) if (!notes.has(note)) notes.set(note, notes.size + 1);
        return {
          ...view,
          ways: view.ways.map((way) => ({
            ...way,
            principals: way.principals.map((one) => ({ ...one, references: one.references.map(numberOf) })),
          })),
          title: count === 1 ? (view.stores[0]?.name ?? '') : `${plural(count, 'store')} read alike`,
          moreStores: count - view.stores.length,
          notes: unsettled
            .map((note) => notes.get(note) ?? 0)
            .sort((a, b) => a - b)
            .join(', '),
        };
      });
      return {
        groups: views,
        notes: [...notes.keys()],
        records: [...records.keys()],
        shown: views.reduce((sum, view) => sum + view.stores.length, 0),
      };
    },
    seen: () => seen,
  };
}

/** Whether a way in may be about one store: then it reads otherwise for each. */
const onSomething = / on (\S+)$/;

/** What makes stores read alike: two with the same `key` are one group. */
function likenesses(): (store: StoreAccess) => { readonly key: string; readonly citations: string } {
  let last: { of: string; made: { key: string; citations: string } } | null = null;
  return (store) => {
    const { readers, subject } = store;
    const of = `${subject.provider} ${readers.id}`;
    if (last?.of === of) return last.made;
    const digest = (value: unknown): string => hash('sha256', JSON.stringify(value), 'base64');
    const ways = readers.principals.map((principal) => [
      principal.principal,
      principal.kind,
      wayOf(store, principal.via),
      principal.inheritedFrom ?? '',
      principal.conditional,
      principal.wide,
    ]);
    const made = {
      key: digest([subject.provider, readers.world, readers.complete, ways, readers.unsettled]),
      citations: digest(readers.principals.map(recordsOf)),
    };
    last = readers.principals.some(({ via }) => onSomething.test(via)) ? null : { of, made };
    return made;
  };
}

/** A way in as it reads for any store of its kind: a grant on the store itself says so, and not which store. */
function wayOf({ subject }: StoreAccess, via: string): string {
  const on = onSomething.exec(via)?.[1];
  return on !== undefined && on !== '' && (subject.uid.endsWith(`/${on}`) || subject.uid === on)
    ? `${via.slice(0, -on.length)}the store itself`
    : via;
}

/** The records that a reader rests on: the one that holds the right first, the one that names the principal last. */
function recordsOf({ citation, through = [] }: StoreAccess['readers']['principals'][number]): Citation[] {
  return [citation, ...through];
}

function storeLine({ subject }: StoreAccess): StoreView['stores'][number] {
  return { ...whoOf(subject), place: placeBeside(subject) };
}

/** A group as its first store makes it; references are still the records' own places. */
function groupView(store: StoreAccess): StoreView {
  const { readers } = store;
  const principals = [...readers.principals].sort((a, b) => Number(b.wide) - Number(a.wide));
  const ways = new Map<string, StoreView['ways'][number]>();
  for (const principal of principals.slice(0, PRINCIPALS)) {
    const via = cell(wayOf(store, principal.via), 300);
    const inherited = principal.inheritedFrom === undefined ? '' : cell(principal.inheritedFrom, 240);
    const key = JSON.stringify([via, inherited, principal.wide]);
    const way = ways.get(key) ?? { via, inherited, wide: principal.wide, principals: [] };
    ways.set(key, way);
    way.principals.push({
      principal: cell(principal.principal, 240),
      kind: cell(principal.kind, 60),
      flags: [...(principal.wide ? ['wide'] : []), ...(principal.conditional ? ['conditional'] : [])],
      wide: principal.wide,
      references: recordsOf(principal).map((record) => cell(citationText(record), 400)),
    });
  }
  return {
    title: '',
    stores: [],
    moreStores: 0,
    world: readers.world,
    keyBoundary: readers.world === 'key-boundary',
    worldWord: readers.world === 'key-boundary' ? 'Key boundary' : 'Data roles',
    complete: readers.complete,
    wide: principals.some((principal) => principal.wide),
    total: plural(distinctPrincipals(principals), 'principal'),
    ways: [...ways.values()],
    morePrincipals: Math.max(0, principals.length - PRINCIPALS),
    citationsOfFirst: false,
    notes: '',
  };
}

/** Numbered records below the file that they are in. */
function byFile(records: readonly string[]): View['access']['records'] {
  const files = new Map<string, View['access']['records'][number]>();
  records.forEach((record, index) => {
    const cut = record.indexOf('#');
    const file = cut === -1 ? record : record.slice(0, cut);
    const place = files.get(file) ?? { file, places: [] };
    files.set(file, place);
    place.places.push({ number: String(index + 1), pointer: cut === -1 ? '' : record.slice(cut) });
  });
  return [...files.values()];
}

export function accessView(assessment: Assessment, selected: ReturnType<typeof selectStores>): View['access'] {
  if (selected.seen() !== assessment.access.stores) {
    throw new Error(`access.ndjson holds ${selected.seen()} stores, assessment.json says ${assessment.access.stores}; assess again`);
  }
  const { access } = assessment;
  const { groups, notes, records, shown } = selected.select();
  return {
    figures: [
      { value: grouped(access.stores), label: 'Critical stores', tone: 'plain' },
      { value: grouped(access.keyBoundary), label: 'Key is a boundary', tone: 'plain' },
      { value: grouped(access.dataRoles), label: 'Data roles decide', tone: 'plain' },
      { value: grouped(access.wide), label: 'Open to many', tone: access.wide > 0 ? 'fail' : 'muted' },
      { value: grouped(access.incomplete), label: 'Evidence incomplete', tone: access.incomplete > 0 ? 'unknown' : 'muted' },
    ],
    groups,
    records: byFile(records),
    continued: false,
    notes: notes.slice(0, NOTES).map((note, index) => ({ number: String(index + 1), text: cell(note, 400) })),
    moreNotes: notes.length > NOTES ? `${plural(notes.length - NOTES, 'more question')} not printed here: results/readers.csv.` : null,
    more:
      access.stores > shown
        ? `${plural(access.stores - shown, 'more store')} not printed here; every store is in results/access.csv, and its principals are in results/readers.csv.`
        : null,
    empty: access.stores === 0,
  };
}

const ANSWERS = { satisfied: 'pass', 'not-satisfied': 'fail', 'not-applicable': 'notapplicable' } as const;
const ANSWER_WORDS = { satisfied: 'Satisfied', 'not-satisfied': 'Not satisfied', 'not-applicable': 'Not applicable' } as const;

export function exceptionsView(assessment: Assessment): View['exceptions'] {
  return {
    waivers: assessment.waivers.map((waiver) => ({
      id: cell(waiver.id, 80),
      control: cell(waiver.control, 120),
      resources: waiver.resources.slice(0, 10).map((resource) => cell(resource, 240)),
      moreResources: Math.max(0, waiver.resources.length - 10),
      owner: cell(waiver.owner, 120),
      approver: cell(waiver.approver, 120),
      justification: cell(waiver.justification, 1200),
      approvedOn: longDate(waiver.approvedOn),
      expires: longDate(waiver.expires),
      expired: waiver.expired === true,
      state: [
        waiver.expired === true ? 'Expired: has no effect' : (waiver.used ?? 0) === 0 ? 'In force, attached to nothing' : 'In force',
        ...waiverMarks(waiver),
      ].join('. '),
      used: waiver.used === undefined ? 'not counted' : plural(waiver.used, 'failure'),
    })),
    answers: assessment.answers.map((answer) => ({
      control: cell(answer.control, 120),
      answer: ANSWER_WORDS[answer.answer],
      pill: { ...pillOf(ANSWERS[answer.answer]), word: ANSWER_WORDS[answer.answer] },
      statement: cell(answer.statement, 2000),
      respondent: cell(answer.respondent, 120),
      role: cell(answer.role, 120),
      date: longDate(answer.date),
      validUntil: answer.validUntil === undefined ? 'no end stated' : longDate(answer.validUntil),
      attachments: answer.attachments.map((attachment) => visible(attachment)),
    })),
    noWaivers: assessment.waivers.length === 0,
    noAnswers: assessment.answers.length === 0,
  };
}
