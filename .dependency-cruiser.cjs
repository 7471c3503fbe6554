// The layers of DESIGN: who may import whom. Run by `npm test`.
const layer = (name) => `^src/${name}/`;
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: [from, ...allowed].join('|') },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: { path: '^src' }, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    only('model-is-the-root', layer('model'), [], 'the domain types import nothing of the project'),
    only('text-is-a-leaf', layer('text'), []),
    only('config', layer('config'), [layer('model'), layer('text')]),
    only('evidence', layer('evidence'), [layer('model')]),
    only('collectors', layer('collectors'), [layer('model'), layer('evidence'), layer('config')], 'collectors judge nothing and render nothing'),
    only('controls', layer('controls'), [layer('model'), layer('evidence'), layer('config'), layer('text')], 'judging never reaches a cloud'),
    only('render', layer('render'), [layer('model'), layer('text')], 'a report is a pure function of results'),
    only('pack', layer('pack'), [layer('model')]),
    only('simulator', layer('simulator'), [layer('model'), layer('config')]),
    {
      name: 'collectors-are-strangers',
      comment: 'one collector never imports a sibling',
      severity: 'error',
      from: { path: '^src/collectors/([^/]+)/' },
      to: { path: '^src/collectors/[^/]+/', pathNot: '^src/collectors/$1/' },
    },
    { name: 'one-puppeteer', severity: 'error', from: { path: '^src/', pathNot: '^src/render/(browser|pdf)\\.ts$' }, to: { path: 'node_modules/(puppeteer-core|@sparticuz)' } },
    { name: 'sdks-stay-in-clients', severity: 'error', from: { path: '^src/', pathNot: '^src/(collectors/([^/]+/client|azure-(graph-)?client)|simulator/|pack/sign/)' }, to: { path: 'node_modules/(@aws-sdk|@azure|@google-cloud|google-gax)/' } },
  ],
  options: { doNotFollow: { path: 'node_modules' }, tsPreCompilationDeps: true, tsConfig: { fileName: 'tsconfig.json' }, enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.json'] } },
};
