import type { Reason, Waiver } from '../../model/index.ts';
import { globMatcher } from './critical.ts';

export interface WaiverBook {
  /** Id of the waiver in force for a fail of this control on this resource. Counts it as used. */
  apply(control: string, uid: string): string | undefined;
  /** The fail it was attached to turned out to be none. */
  release(waiver: string): void;
  /** Reasons to name beside a control: waivers that would apply but are expired or not yet approved. */
  reasons(control: string): Reason[];
  /** The waivers with `expired` and `used` set, in the order of the configuration. */
  settled(): Waiver[];
}

/** In force from the day of approval until the end of the day of expiry, UTC. A date that cannot be read is never in force. */
export function waiverState(waiver: Pick<Waiver, 'approvedOn' | 'expires'>, asOf: string): 'in-force' | 'expired' | 'not-yet' {
  const day = new Date(asOf).toISOString().slice(0, 10);
  const isDay = (text: string): boolean => /^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(Date.parse(text));
  if (!isDay(waiver.expires) || !isDay(waiver.approvedOn)) return 'expired';
  if (waiver.expires.slice(0, 10) < day) return 'expired';
  return waiver.approvedOn.slice(0, 10) > day ? 'not-yet' : 'in-force';
}

/**
 * Attaches waivers to fails. A waived fail stays a fail: nothing here changes a status. Where several apply, the first
 * of the configuration that is in force is attached.
 */
export function waiverBook(waivers: readonly Waiver[], asOf: string): WaiverBook {
  const entries = waivers.map((waiver) => ({
    waiver,
    state: waiverState(waiver, asOf),
    control: globMatcher(waiver.control),
    resources: waiver.resources.map(globMatcher),
    used: 0,
    missed: new Map<string, number>(),
  }));
  const byControl = new Map<string, typeof entries>();
  const forControl = (control: string): typeof entries => {
    const known = byControl.get(control);
    if (known) return known;
    const made = entries.filter((entry) => entry.control(control));
    byControl.set(control, made);
    return made;
  };
  return {
    apply(control, uid) {
      let applied: string | undefined;
      for (const entry of forControl(control)) {
        if (!entry.resources.some((matches) => matches(uid))) continue;
        if (entry.state !== 'in-force') entry.missed.set(control, (entry.missed.get(control) ?? 0) + 1);
        else if (applied === undefined) {
          applied = entry.waiver.id;
          entry.used += 1;
        }
      }
      return applied;
    },
    release(id) {
      const entry = entries.find(({ waiver }) => waiver.id === id);
      if (entry) entry.used -= 1;
    },
    reasons(control) {
      return forControl(control).flatMap(({ waiver, state, missed }) => {
        const count = missed.get(control) ?? 0;
        if (count === 0) return [];
        const fails = count === 1 ? '1 fail' : `${count} fails`;
        return state === 'expired'
          ? [{ code: 'waiver-expired', message: `waiver ${waiver.id} expired on ${waiver.expires} and no longer covers ${fails}` }]
          : [
              {
                code: 'waiver-not-yet',
                message: `waiver ${waiver.id} is approved only from ${waiver.approvedOn} and does not cover ${fails}`,
              },
            ];
      });
    },
    settled() {
      return entries.map(({ waiver, state, used }) => ({ ...waiver, expired: state === 'expired', used }));
    },
  };
}
