import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Handlebars from 'handlebars';
import { fontFaces } from './fonts.ts';
import type { View } from './view-schema.ts';

/** `templates/`, beside `src/` in a checkout and beside `dist/` when installed. */
export const TEMPLATES = fileURLToPath(new URL('../../templates/', import.meta.url));

/** Helpers of Handlebars itself; no template may use another. */
const HELPERS = { if: true, unless: true, each: true, with: true };
const COMPILE = {
  strict: true,
  knownHelpersOnly: true,
  knownHelpers: { ...HELPERS, helperMissing: false, blockHelperMissing: false, log: false, lookup: false },
  preventIndent: true,
} as const;

export interface Templates {
  report: (view: View, marker: string) => string;
  /** Renders one partial with any context: a part of the PDF. */
  partial: (name: string, context: unknown) => string;
}

/** Reads a template. Unescaped output has no use here, so its syntax is refused outright. */
export function checkTemplate(name: string, source: string): string {
  if (source.includes('{{{') || /\{\{~?\s*&/.test(source))
    throw new Error(`templates/${name}: unescaped output ({{{ or {{&) is not allowed`);
  return source;
}

let loaded: Templates | undefined;

export function loadTemplates(): Templates {
  if (loaded) return loaded;
  const engine = Handlebars.create();
  const partials = new Map<string, string>();
  for (const file of readdirSync(join(TEMPLATES, 'partials')).sort()) {
    if (file.endsWith('.hbs'))
      partials.set(basename(file, '.hbs'), checkTemplate(`partials/${file}`, readFileSync(join(TEMPLATES, 'partials', file), 'utf8')));
  }
  const compiled = new Map([...partials].map(([name, source]) => [name, engine.compile<unknown>(source, COMPILE)]));
  for (const [name, template] of compiled) engine.registerPartial(name, template);
  const runtime = { allowProtoPropertiesByDefault: false, allowProtoMethodsByDefault: false };
  const report = engine.compile<View>(checkTemplate('report.hbs', readFileSync(join(TEMPLATES, 'report.hbs'), 'utf8')), COMPILE);
  loaded = {
    report: (view, marker) => report(view, { ...runtime, data: { marker } }),
    partial: (name, context) => {
      const template = compiled.get(name);
      if (template === undefined) throw new Error(`no partial ${name}`);
      return template(context, { ...runtime, data: { root: { pdf: true } } });
    },
  };
  return loaded;
}

/** The HTML report around its style and data, in the order they appear in the template. */
export interface DocumentParts {
  beforePolicy: string;
  beforeStyle: string;
  beforeData: string;
  end: string;
}

/**
 * Renders a view. The places for policy, style and data are marked with a digest of the view itself, which no text inside
 * the view can contain.
 */
export function renderParts(view: View): DocumentParts {
  const marker = `@@${createHash('sha256').update(JSON.stringify(view)).digest('hex')}@@`;
  const parts = loadTemplates().report(view, marker).split(marker);
  const [beforePolicy = '', beforeStyle = '', beforeData = '', end = '', ...rest] = parts;
  if (rest.length > 0 || parts.length < 4) throw new Error('templates/report.hbs needs exactly the policy, style and data marks');
  return { beforePolicy, beforeStyle, beforeData, end };
}

export function readTemplate(name: string): string {
  return readFileSync(join(TEMPLATES, name), 'utf8');
}

/** Comments and the blanks between rules removed; nothing cleverer, so that what is shipped can be read. */
function compact(css: string): string {
  return css
    .replace(/\/\*[^]*?\*\//g, '')
    .replace(/\n\s*/g, '\n')
    .trim();
}

export function styleFor(format: 'pdf' | 'html'): string {
  const css = [
    fontFaces(format),
    compact(readTemplate('report.css')),
    compact(readTemplate(format === 'pdf' ? 'print.css' : 'screen.css')),
  ].join('\n');
  if (css.includes('</')) throw new Error('the style sheet may not contain "</"');
  return css;
}

export function cspHash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** Constructs that have no place in a report, whatever their origin. Looks inside tags only: text may say what it likes. */
export function forbiddenConstructs(html: string): string[] {
  const found = new Set<string>();
  for (const [tag] of html.matchAll(/<[!/?]?[A-Za-z][^<>]*>?/g)) {
    const name = /^<[!/?]?([A-Za-z][A-Za-z0-9:-]*)/.exec(tag)?.[1]?.toLowerCase() ?? '';
    if (
      [
        'iframe',
        'frame',
        'frameset',
        'base',
        'form',
        'object',
        'embed',
        'applet',
        'link',
        'portal',
        'audio',
        'video',
        'img',
        'source',
        'animate',
        'set',
        'foreignobject',
        'template',
      ].includes(name)
    )
      found.add(`<${name}>`);
    const bare = tag.replace(/"[^"]*"|'[^']*'/g, '""');
    if (/[\s"'/]on[a-z]+\s*=/i.test(bare)) found.add('event handler attribute');
    if (/[\s"'/](style|srcdoc|formaction|action|background|ping|xlink:href)\s*=/i.test(bare))
      found.add(`attribute ${/[\s"'/](style|srcdoc|formaction|action|background|ping|xlink:href)\s*=/i.exec(bare)?.[1] ?? ''}`);
    if (name === 'meta' && /http-equiv/i.test(tag) && !/http-equiv="Content-Security-Policy"/.test(tag)) found.add('<meta http-equiv>');
    for (const [, attribute = '', value = ''] of tag.matchAll(/\s(href|src)\s*=\s*"([^"]*)"/gi)) {
      if (!/^(#|https:\/\/|mailto:)/.test(value)) found.add(`${attribute} to ${value.slice(0, 40)}`);
    }
  }
  return [...found].sort();
}
