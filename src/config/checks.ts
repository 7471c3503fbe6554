import { nearest } from '../text/nearest.ts';
import { dotted, type Finding, type Path } from './describe.ts';
import type { Draft } from './draft.ts';
import { awsRegions } from './regions.ts';
import type { ExhibitConfig } from './schema.ts';

type Parts = Draft<ExhibitConfig>;

const at = (path: Path, message: string): Finding => ({ path, message, atKey: false });

/** Rules that join several fields, of those that are well-formed. */
export function crossChecks(config: Parts): Finding[] {
  return [...periodFindings(config), ...endpointFindings(config), ...regionFindings(config), ...waiverFindings(config)];
}

function periodFindings({ engagement, answers }: Parts): Finding[] {
  const { from, to } = engagement?.period ?? {};
  const reversed =
    from !== undefined && to !== undefined && from > to
      ? [at(['engagement', 'period', 'from'], `\`engagement.period\` ends (${to}) before it starts (${from})`)]
      : [];
  const lapsed = (answers ?? []).flatMap((answer, index) => {
    const { date, validUntil } = answer ?? {};
    if (date === undefined || validUntil === undefined || validUntil >= date) return [];
    const path = ['answers', index, 'validUntil'];
    return [
      at(path, `\`${dotted(path)}\` (${validUntil}) lies before \`date\` (${date}): the answer was never valid; correct one of them`),
    ];
  });
  return [...reversed, ...lapsed];
}

function isLoopback(address: string): boolean {
  const hostname = URL.canParse(address) ? new URL(address).hostname : '';
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function endpointFindings({ endpoints }: Parts): Finding[] {
  const found: Finding[] = [];
  const gcp = endpoints?.gcp;
  if (gcp?.insecure === true && !/^(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$/.test(gcp.cloudAsset ?? '')) {
    found.push({
      path: ['endpoints', 'gcp', 'insecure'],
      message: '`endpoints.gcp.insecure` is accepted for loopback addresses only: remove it, or set `cloudAsset` to 127.0.0.1:<port>',
      atKey: true,
    });
  }
  for (const [path, address] of [
    [['endpoints', 'aws', 'config'], endpoints?.aws?.config],
    [['endpoints', 'aws', 'sts'], endpoints?.aws?.sts],
    [['endpoints', 'azure', 'resourceManager'], endpoints?.azure?.resourceManager],
    [['endpoints', 'azure', 'authority'], endpoints?.azure?.authority],
  ] as const) {
    if (address === undefined || !address.startsWith('http:') || isLoopback(address)) continue;
    found.push(
      at(
        path,
        `\`${dotted(path)}\` must be https: credentials and evidence would pass in the clear (plain http is for loopback addresses only)`,
      ),
    );
  }
  return found;
}

/** A region that does not exist would only be found out by a name that does not resolve. */
function regionFindings({ scopes, endpoints }: Parts): Finding[] {
  const known = new Set([...awsRegions, ...(endpoints?.aws?.regions ?? [])]);
  const named = (scopes?.aws ?? []).flatMap((scope, index): [Path, string | undefined][] => [
    ...(scope?.regions ?? []).map((region, position): [Path, string | undefined] => [
      ['scopes', 'aws', index, 'regions', position],
      region,
    ]),
    [['scopes', 'aws', index, 'aggregator', 'region'], scope?.aggregator?.region],
  ]);
  return named.flatMap(([path, region]) => {
    if (region === undefined || known.has(region)) return [];
    const guess = nearest(region, awsRegions);
    const remedy = guess === undefined ? 'correct it' : `did you mean \`${guess}\`?`;
    return [
      at(
        path,
        `\`${dotted(path)}\`: no AWS region \`${region}\` is known: ${remedy} (one newer than this version of Exhibit: name it in \`endpoints.aws.regions\` too)`,
      ),
    ];
  });
}

function waiverFindings({ waivers }: Parts): Finding[] {
  const seen = new Map<string, number>();
  return (waivers ?? []).flatMap((waiver, index) => {
    const { id, approvedOn, expires } = waiver ?? {};
    const found: Finding[] = [];
    if (id !== undefined) {
      const former = seen.get(id);
      if (former !== undefined)
        found.push(
          at(['waivers', index, 'id'], `waiver id \`${id}\` is used twice (also by \`waivers[${former}]\`): give each an id of its own`),
        );
      else seen.set(id, index);
    }
    if (approvedOn !== undefined && expires !== undefined && expires < approvedOn)
      found.push(
        at(
          ['waivers', index, 'expires'],
          `\`waivers[${index}].expires\` (${expires}) lies before \`approvedOn\` (${approvedOn}): the waiver was never valid; correct one of them`,
        ),
      );
    return found;
  });
}
