/** Tolerated difference between this machine's clock and a provider's. Milliseconds. */
const tolerance = 60_000;

/** The result of `exhibit doctor`'s clock check; `provider` is what the provider's answer said, null when it said nothing. */
export function clockFinding(
  collector: string,
  scope: string,
  provider: string | null | undefined,
  now: number,
): { collector: string; scope: string; check: string; ok: boolean; detail: string; remedy?: string }[] {
  const theirs = Date.parse(provider ?? '');
  if (Number.isNaN(theirs)) return [];
  const offset = Math.round((now - theirs) / 1000);
  const ok = Math.abs(now - theirs) <= tolerance;
  const detail = `${Math.abs(offset)} s ${offset >= 0 ? 'ahead of' : 'behind'} the provider`;
  return [
    {
      collector,
      scope,
      check: 'clock',
      ok,
      detail,
      ...(ok ? {} : { remedy: 'set the clock of this machine (`timedatectl set-ntp true`)' }),
    },
  ];
}
