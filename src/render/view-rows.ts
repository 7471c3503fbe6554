import { z } from 'zod';
import { statusSchema } from '../model/index.ts';

/** What the templates may print of single observations; closed like the rest of the view, whose schema is in view-schema.ts. */
export const closed = z.strictObject;
export const text = z.string();

export const pill = closed({ status: statusSchema, word: text });

/** One non-passing observation. */
export const rowSchema = closed({
  anchor: text,
  id: text,
  pill,
  waiver: text.nullable(),
  /** What of the id goes before the name, or the id that goes after it. */
  lead: text,
  name: text,
  uid: text,
  type: text,
  /** A question for a person: there is no record. */
  asked: z.boolean(),
  /** What such rows are counted as: one `resource`. */
  noun: z.enum(['resource', 'gap', 'question']),
  place: text,
  /** Where no record of the subject is cited, to which it would belong. */
  captured: text,
  check: text.nullable(),
  reason: text,
  leaves: z.array(
    closed({
      path: text,
      observed: text,
      missing: z.boolean(),
      expected: text,
      outcome: z.enum(['true', 'false', 'unknown']),
      word: text,
      because: text,
    }),
  ),
  moreLeaves: z.number().int(),
  /** `captured`: of the subject's own record, when. */
  citations: z.array(closed({ role: text, text, captured: text })),
});
export type RowView = z.infer<typeof rowSchema>;

/** Non-passing observations that differ only in their subject: what they have in common is said once. */
export const rowGroupSchema = closed({
  pill: rowSchema.shape.pill,
  waiver: rowSchema.shape.waiver,
  type: text,
  asked: rowSchema.shape.asked,
  noun: rowSchema.shape.noun,
  check: rowSchema.shape.check,
  reason: text,
  leaves: rowSchema.shape.leaves,
  moreLeaves: rowSchema.shape.moreLeaves,
  /** `12 resources`; null for one. */
  total: text.nullable(),
  members: z
    .array(
      closed({
        anchor: text,
        id: text,
        lead: text,
        name: text,
        uid: text,
        place: text,
        captured: text,
        citations: rowSchema.shape.citations,
      }),
    )
    .min(1),
});
export type RowGroup = z.infer<typeof rowGroupSchema>;
