import type { Access, Assessment } from '../model/index.ts';
import { pillOf, placeOf } from './view-control.ts';
import { cell, citationText, grouped, longDate, plural, visible } from './text.ts';
import type { StoreView, View } from './view-schema.ts';

/** Stores and principals that the document prints; every one of them is in access.csv. */
const STORES = 400;
const PRINCIPALS = 25;

/** Collects what the access section shows: stores that anyone wide can read first, then the incomplete ones, then the rest. */
export function selectStores(): { add: (access: Access) => void; stores: () => StoreView[]; seen: () => number } {
  const kept: [StoreView[], StoreView[], StoreView[]] = [[], [], []];
  let seen = 0;
  return {
    add: (access) => {
      seen += 1;
      const list = access.principals.some((principal) => principal.wide) ? kept[0] : access.complete ? kept[2] : kept[1];
      if (list.length < STORES) list.push(storeView(access));
    },
    stores: () => kept.flat().slice(0, STORES),
    seen: () => seen,
  };
}

function storeView(access: Access): StoreView {
  const principals = [...access.principals].sort((a, b) => Number(b.wide) - Number(a.wide));
  return {
    name: cell(access.subject.name === '' ? access.subject.uid : access.subject.name, 160),
    uid: cell(access.subject.uid, 320),
    type: cell(access.subject.type, 120),
    place: placeOf(access.subject),
    world: access.world,
    keyBoundary: access.world === 'key-boundary',
    worldWord: access.world === 'key-boundary' ? 'Key boundary' : 'Data roles',
    complete: access.complete,
    wide: principals.some((principal) => principal.wide),
    total: plural(principals.length, 'principal'),
    principals: principals.slice(0, PRINCIPALS).map((principal) => ({
      principal: cell(principal.principal, 240),
      kind: cell(principal.kind, 60),
      via: cell(principal.via, 300),
      inherited: principal.inheritedFrom === undefined ? '' : cell(principal.inheritedFrom, 240),
      flags: [...(principal.wide ? ['wide'] : []), ...(principal.conditional ? ['conditional'] : [])],
      wide: principal.wide,
      citation: principal.citation === undefined ? '' : cell(citationText(principal.citation), 400),
    })),
    morePrincipals: Math.max(0, principals.length - PRINCIPALS),
    unsettled: access.unsettled.map((note) => cell(note, 400)),
  };
}

export function accessView(assessment: Assessment, selected: ReturnType<typeof selectStores>): View['access'] {
  const stores = selected.stores();
  if (selected.seen() !== assessment.access.stores) {
    throw new Error(`access.ndjson holds ${selected.seen()} stores, assessment.json says ${assessment.access.stores}; assess again`);
  }
  const { access } = assessment;
  return {
    figures: [
      { value: grouped(access.stores), label: 'Critical stores', tone: 'plain' },
      { value: grouped(access.keyBoundary), label: 'Key is a boundary', tone: 'plain' },
      { value: grouped(access.dataRoles), label: 'Data roles decide', tone: 'plain' },
      { value: grouped(access.wide), label: 'Open to many', tone: access.wide > 0 ? 'fail' : 'muted' },
      { value: grouped(access.incomplete), label: 'Not settled', tone: access.incomplete > 0 ? 'unknown' : 'muted' },
    ],
    stores,
    more: access.stores > stores.length ? `${plural(access.stores - stores.length, 'more store')} not printed here; every store and principal is in results/access.csv.` : null,
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
      state: waiver.expired === true ? 'Expired: has no effect' : (waiver.used ?? 0) === 0 ? 'In force, attached to nothing' : 'In force',
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
