import { z } from 'zod';
import { statusSchema } from '../model/index.ts';
import { closed, pill, rowGroupSchema, text } from './view-rows.ts';

const proseBlocks = z.array(
  closed({
    kind: z.enum(['paragraph', 'bullets', 'steps', 'commands']),
    paragraph: z.boolean(),
    bullets: z.boolean(),
    steps: z.boolean(),
    commands: z.boolean(),
    items: z.array(z.array(closed({ text, code: z.boolean(), strong: z.boolean() }))).min(1),
  }),
);
const pair = closed({ name: text, value: text });
const causes = z.array(closed({ number: text, text }));
const figure = closed({ value: text, label: text, tone: z.enum(['plain', 'pass', 'fail', 'unknown', 'excepted', 'muted']) });

/** Widths of a stacked bar, out of 1000, and the words a screen reader says for it. */
const bar = closed({ label: text, parts: z.array(closed({ status: statusSchema, x: z.number(), width: z.number() })) });

/** CIS-CAT's columns. */
const scoreRow = closed({
  title: text,
  anchor: text.nullable(),
  bar,
  pass: text,
  fail: text,
  error: text,
  unknown: text,
  manual: text,
  notApplicable: text,
  score: text,
  max: text,
  percent: text,
});

export const reconciliationLine = closed({
  place: text,
  type: text,
  check: text,
  count: text,
  source: text,
  detail: text,
  total: z.boolean(),
  held: text,
  pass: text,
  fail: text,
  waived: text.nullable(),
  unknown: text,
  error: text,
  notApplicable: text,
  excluded: text,
  sum: text,
  balanced: z.boolean(),
  verdict: text,
  notes: z.array(text),
});
export type ReconciliationLine = z.infer<typeof reconciliationLine>;

export const controlSchema = closed({
  id: text,
  anchor: text,
  pageName: text,
  title: text,
  pill,
  failing: z.boolean(),
  section: text,
  level: text,
  assessment: text,
  provider: text,
  source: text,
  strip: z.array(figure).length(6),
  outcome: text,
  reasons: z.array(text),
  profileApplicability: z.array(text).min(1),
  description: proseBlocks,
  rationale: proseBlocks,
  impactPros: proseBlocks,
  impactCons: proseBlocks,
  defaultValue: proseBlocks,
  prerequisites: proseBlocks,
  auditConsole: proseBlocks,
  auditCli: proseBlocks,
  planConsole: proseBlocks,
  planCli: proseBlocks,
  backOut: proseBlocks,
  references: z.array(closed({ text, url: text.nullable() })),
  mappings: z.array(closed({ framework: text, ids: text })),
  checks: z.array(closed({ id: text, title: text, on: text, kind: text, question: z.boolean() })),
  nonPassing: z.number().int(),
  groups: z.array(rowGroupSchema),
  /** How many rows the register holds instead, and where it begins; null when all are here. */
  inRegister: closed({ total: text, shown: text, anchor: text }).nullable(),
  passing: text,
  somePassing: z.boolean(),
  notApplicable: text,
  explorerLink: text,
  explorerAllLink: text,
});
export type ControlView = z.infer<typeof controlSchema>;

/** Principals that get in by the same way. */
const way = closed({
  via: text,
  inherited: text,
  wide: z.boolean(),
  principals: z.array(closed({ principal: text, kind: text, flags: z.array(text), wide: z.boolean(), references: z.array(text) })).min(1),
});
/** Stores that the same principals can read, in the same way and with the same questions open. */
export const storeSchema = closed({
  title: text,
  stores: z.array(closed({ lead: text, name: text, uid: text, place: text })).min(1),
  moreStores: z.number().int(),
  world: z.enum(['key-boundary', 'data-roles']),
  worldWord: text,
  keyBoundary: z.boolean(),
  complete: z.boolean(),
  wide: z.boolean(),
  total: text,
  ways: z.array(way),
  morePrincipals: z.number().int(),
  /** Whether some store of the group rests on other records than the first, which are those cited. */
  citationsOfFirst: z.boolean(),
  notes: text,
});
export type StoreView = z.infer<typeof storeSchema>;

/**
 * What the templates may print: display-ready text, already made visible, already counted. Validated before rendering, closed and
 * without optional members, because a template that finds no list prints nothing, and nothing reads as "no failures".
 */
export const viewSchema = closed({
  pdf: z.boolean(),
  html: z.boolean(),
  lang: z.literal('en'),
  title: text,
  description: text,
  cover: closed({
    kicker: text,
    title: text,
    subtitle: text,
    facts: z.array(pair).min(1),
    result: text,
    resultTone: figure.shape.tone,
    complete: z.boolean(),
    completeness: text,
    evidenceDigest: text,
    fingerprint: text.nullable(),
  }),
  contents: z
    .array(
      closed({ id: text, title: text, word: text, anchor: text, depth: z.number().int(), page: text, status: statusSchema.nullable() }),
    )
    .min(1),
  scope: closed({
    period: text,
    facts: z.array(pair).min(1),
    providers: z.array(
      closed({ provider: text, accounts: text, regions: text, scopes: text, complete: text, incomplete: text, whole: z.boolean() }),
    ),
    critical: z.array(pair).min(1),
    parameters: z.array(pair),
    leftOut: z.array(closed({ id: text, title: text, level: text, why: text })),
  }),
  method: closed({ statuses: z.array(closed({ pill, meaning: text, scored: text })).min(1), score: text }),
  limitations: closed({ general: z.array(text).min(1), particular: z.array(text) }),
  summary: closed({
    percent: text,
    fraction: text,
    donut: z.array(closed({ status: statusSchema, path: text })),
    donutLabel: text,
    figures: z.array(figure).min(1),
    overall: scoreRow,
    sections: z.array(scoreRow).min(1),
    levels: z.array(scoreRow).min(1),
    resources: z.array(figure).min(1),
    resourcesTotal: text,
    resourcesLabel: text,
    headline: text,
    attention: z.array(closed({ id: text, title: text, anchor: text, pill, fail: text, untested: text, gaps: text, page: text })),
    controls: z
      .array(
        closed({
          id: text,
          title: text,
          anchor: text,
          pill,
          level: text,
          pass: text,
          fail: text,
          untested: text,
          gaps: text,
          notApplicable: text,
          page: text,
        }),
      )
      .min(1),
  }),
  controlsIntro: text,
  controls: z.array(controlSchema).min(1),
  access: closed({
    figures: z.array(figure).min(1),
    groups: z.array(storeSchema),
    /** Records that the ways in rest on, as they are numbered there. */
    records: z.array(closed({ file: text, places: z.array(closed({ number: text, pointer: text })) })),
    /** Whether the section began in an earlier part of the document. */
    continued: z.boolean(),
    notes: z.array(closed({ number: text, text })),
    moreNotes: text.nullable(),
    more: text.nullable(),
    empty: z.boolean(),
  }),
  exceptions: closed({
    waivers: z.array(
      closed({
        id: text,
        control: text,
        resources: z.array(text),
        moreResources: z.number().int(),
        owner: text,
        approver: text,
        justification: text,
        approvedOn: text,
        expires: text,
        expired: z.boolean(),
        state: text,
        used: text,
      }),
    ),
    answers: z.array(
      closed({
        control: text,
        answer: text,
        pill,
        statement: text,
        respondent: text,
        role: text,
        date: text,
        validUntil: text,
        attachments: z.array(text),
      }),
    ),
    noWaivers: z.boolean(),
    noAnswers: z.boolean(),
  }),
  coverage: closed({
    scopes: z.array(
      closed({
        provider: text,
        account: text,
        region: text,
        name: text,
        collector: text,
        knownFrom: text,
        identity: text,
        status: text,
        whole: z.boolean(),
        reasons: z.array(text),
      }),
    ),
    moreScopes: text.nullable(),
    gaps: z.array(closed({ what: text, places: z.array(text).min(1), status: text, reasons: z.array(text), effect: text })),
    moreGaps: text.nullable(),
    noGaps: z.boolean(),
    gapsTitle: text,
    shortfalls: closed({
      title: text,
      none: z.boolean(),
      /** What several lines have in common. */
      causes,
      lines: z.array(
        closed({
          type: text,
          provider: text,
          places: z.array(text).min(1),
          status: text,
          reasons: z.array(text),
          needed: z.boolean(),
          effects: z.array(text).min(1),
        }),
      ),
      more: text.nullable(),
    }),
  }),
  reconciliation: closed({
    continued: z.boolean(),
    figures: z.array(figure).min(1),
    allBalanced: z.boolean(),
    verdict: text,
    causes,
    unbalanced: z.array(closed({ control: text, anchor: text, title: text, lines: z.array(reconciliationLine).min(1) })),
    moreUnbalanced: text.nullable(),
    controls: z.array(
      closed({
        control: text,
        anchor: text,
        title: text,
        balanced: z.boolean(),
        source: text,
        lines: z.array(reconciliationLine),
        /** Scopes that balance at nothing: they hold no resource of the type, by the provider's count and by ours. */
        empty: text.nullable(),
        total: reconciliationLine.nullable(),
        summarised: text.nullable(),
      }),
    ),
    exclusions: z.array(closed({ reason: text, count: text })),
    noExclusions: z.boolean(),
  }),
  evidence: closed({
    continued: z.boolean(),
    figures: z.array(figure).min(1),
    places: z.array(
      closed({
        directory: text,
        identity: text,
        endpoint: text,
        queries: z.array(
          closed({
            name: text,
            operation: text,
            /** Number of the query's text in the list of texts; empty for a request without one. */
            text,
            status: text,
            whole: z.boolean(),
            pages: text,
            items: text,
            bytes: text,
            when: text,
            sha256: text,
          }),
        ),
      }),
    ),
    /** The texts of queries, each once. */
    texts: z.array(closed({ number: text, text })),
    more: text.nullable(),
  }),
  versions: closed({ facts: z.array(pair).min(1), files: z.array(closed({ file: text, sha256: text })) }),
  redactions: closed({ count: text, none: z.boolean() }),
  signature: closed({
    signed: z.boolean(),
    fingerprint: text,
    fingerprintLines: z.array(text),
    subject: text,
    algorithm: text,
    digest: text,
  }),
  register: z.boolean(),
  /** At the head of each page: whose it is, and how it is classified where that is stated. */
  running: text,
  footer: text,
});
export type View = z.infer<typeof viewSchema>;
