import type { Assessment, Finding, Observation } from '../model/index.ts';
import { explorerBlocks } from './explorer.ts';
import { cspHash, forbiddenConstructs, readTemplate, renderParts, styleFor } from './templates.ts';
import type { View } from './view-schema.ts';

/** The policy of the HTML report: its own style and script by digest, fonts from data URIs, nothing else from anywhere. */
export function contentSecurityPolicy(style: string, script: string | null): string {
  return [
    "default-src 'none'",
    `style-src ${cspHash(style)}`,
    `script-src ${script === null ? "'none'" : cspHash(script)}`,
    'font-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "object-src 'none'",
  ].join('; ');
}

/**
 * The self-contained HTML report, piece by piece. Summary and control pages are plain HTML; the list of all observations comes
 * from compressed blocks at the end, read by a script that the policy allows by its digest.
 */
export async function* htmlReport(
  assessment: Assessment,
  view: View,
  observations: AsyncIterable<{ finding: Finding; observation: Observation }>,
): AsyncGenerator<string> {
  if (!view.html) throw new Error('the view was built for another format');
  const style = styleFor('html');
  const script = readTemplate('explorer.js');
  if (/<\/script/i.test(script)) throw new Error('templates/explorer.js may not contain "</script"');
  const parts = renderParts(view);
  const policy = contentSecurityPolicy(style, script);
  const body = parts.beforePolicy + parts.beforeStyle + parts.beforeData + parts.end;
  refuseForbidden(body);
  yield parts.beforePolicy + policy.replaceAll('"', '&quot;') + parts.beforeStyle + style + parts.beforeData;
  for await (const piece of explorerBlocks(assessment, observations)) yield piece;
  yield `<script>${script}</script>${parts.end}`;
}

export function refuseForbidden(html: string): void {
  const found = forbiddenConstructs(html);
  if (/<script/i.test(html)) found.push('<script>');
  if (found.length > 0) throw new Error(`the rendered report holds what no report may hold: ${found.join(', ')}`);
}
