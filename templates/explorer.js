'use strict';
// The list of all observations. Everything shown is set as text; nothing from the data is ever parsed as HTML.
(() => {
  const root = document.getElementById('explorer');
  const headerBlock = document.getElementById('x-header');
  if (!root || !headerBlock || typeof DecompressionStream !== 'function') {
    if (root) {
      root.hidden = false;
      root.textContent = 'This browser is too old for the list (it lacks DecompressionStream). results/observations.csv holds the same rows.';
    }
    return;
  }
  const header = JSON.parse(headerBlock.textContent);
  const indexBlocks = [...document.querySelectorAll('script.x-index')];
  const detailBlocks = [...document.querySelectorAll('script.x-detail')];
  const PAGE = 50;
  const NON_PASSING = ['fail', 'error', 'unknown', 'notchecked'];

  const element = (name, attributes = {}, ...children) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === 'class') node.className = value;
      else if (key === 'on') for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
      else if (value === true) node.setAttribute(key, '');
      else if (value !== false && value !== null) node.setAttribute(key, value);
    }
    node.append(...children);
    return node;
  };
  const SVG = 'http://www.w3.org/2000/svg';
  const pill = (status) => {
    const icon = document.createElementNS(SVG, 'svg');
    icon.setAttribute('class', 'icon');
    icon.setAttribute('aria-hidden', 'true');
    const use = document.createElementNS(SVG, 'use');
    use.setAttribute('href', `#i-${header.statuses[status][0]}`);
    icon.append(use);
    return element('span', { class: `pill ${header.statuses[status][0]}` }, icon, header.statuses[status][1]);
  };
  const grouped = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

  const inflate = async (text) => {
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
    return JSON.parse(await new Response(stream).text());
  };

  // Columns of all rows: dictionary columns merged over blocks into small integers.
  const rows = header.rows;
  const control = new Uint16Array(rows);
  const status = new Uint8Array(rows);
  const merged = {};
  for (const key of ['type', 'account', 'location', 'provider', 'check', 'reason', 'waiver']) merged[key] = { values: [], known: new Map(), rows: new Uint32Array(rows) };
  const name = new Array(rows);
  const uid = new Array(rows);
  const valueOf = (key, row) => merged[key].values[merged[key].rows[row]];

  const load = async () => {
    let base = 0;
    const blocks = await Promise.all(indexBlocks.map((block) => inflate(block.textContent)));
    for (const block of blocks) {
      const count = block.uid.length;
      for (const [key, column] of Object.entries(merged)) {
        const map = block[key].values.map((value) => {
          let at = column.known.get(value);
          if (at === undefined) {
            at = column.values.length;
            column.values.push(value);
            column.known.set(value, at);
          }
          return at;
        });
        for (let at = 0; at < count; at += 1) column.rows[base + at] = map[block[key].rows[at]];
      }
      for (let at = 0; at < count; at += 1) {
        control[base + at] = block.control[at];
        status[base + at] = block.status[at];
        name[base + at] = block.name[at];
        uid[base + at] = block.uid[at];
      }
      base += count;
    }
    if (base !== rows) throw new Error(`${base} of ${rows} observations could be read: the file is damaged`);
    for (const block of indexBlocks) block.remove();
  };

  let cached = { block: -1, rows: [] };
  const detail = async (row) => {
    const block = Math.floor(row / header.detailRows);
    if (cached.block !== block) cached = { block, rows: await inflate(detailBlocks[block].textContent) };
    return cached.rows[row % header.detailRows];
  };

  // Filters live in the address, so that a list can be sent to a colleague: #find?control=…&status=fail,unknown&q=…
  const FILTERS = ['control', 'status', 'provider', 'type', 'account', 'location', 'q'];
  const state = { page: 0 };
  const readHash = () => {
    const hash = location.hash.startsWith('#find?') ? location.hash.slice(6) : '';
    const parameters = new URLSearchParams(hash);
    for (const key of FILTERS) state[key] = parameters.get(key) ?? '';
    state.page = Math.max(0, (Number.parseInt(parameters.get('page') ?? '1', 10) || 1) - 1);
    state.open = parameters.get('open') ?? '';
  };
  const hashOf = (over = {}) => {
    const merge = { ...state, ...over };
    const parameters = new URLSearchParams();
    for (const key of FILTERS) if (merge[key]) parameters.set(key, merge[key]);
    if (merge.page > 0) parameters.set('page', String(merge.page + 1));
    if (merge.open) parameters.set('open', merge.open);
    return `#find?${parameters.toString().replaceAll('%2C', ',')}`;
  };
  const writeHash = () => {
    history.replaceState(null, '', hashOf());
  };

  let matches = [];
  const filter = () => {
    const wanted = state.status === '' ? null : new Set(state.status.split(',').map((word) => header.statuses.findIndex(([key]) => key === word)));
    const wantedControl = state.control === '' ? -1 : header.controls.findIndex(([id]) => id === state.control);
    const equal = ['provider', 'type', 'account', 'location'].filter((key) => state[key] !== '').map((key) => [merged[key].rows, merged[key].known.get(state[key]) ?? -1]);
    const words = state.q.toLowerCase().split(/\s+/).filter((word) => word !== '');
    const reasons = words.length === 0 ? null : merged.reason.values.map((value) => value.toLowerCase());
    const found = [];
    for (let row = 0; row < rows; row += 1) {
      if (wanted !== null && !wanted.has(status[row])) continue;
      if (state.control !== '' && control[row] !== wantedControl) continue;
      if (equal.some(([column, value]) => column[row] !== value)) continue;
      if (words.length > 0) {
        const text = `${name[row]} ${uid[row]} ${header.controls[control[row]][0]}`.toLowerCase();
        const reason = reasons[merged.reason.rows[row]];
        if (!words.every((word) => text.includes(word) || reason.includes(word))) continue;
      }
      found.push(row);
    }
    matches = found;
  };

  const controls = {};
  const list = element('ol', { class: 'x-list', 'aria-label': 'Observations' });
  const counts = element('div', { class: 'x-counts', role: 'status', 'aria-live': 'polite' });
  const pager = element('nav', { class: 'x-pager', 'aria-label': 'Pages of the list' });

  const select = (key, label, values) => {
    const box = element('select', { on: { change: () => { state[key] = box.value; state.page = 0; state.open = ''; update(); } } }, element('option', { value: '' }, `All ${label}`));
    for (const [value, text] of values) box.append(element('option', { value }, text));
    controls[key] = box;
    return element('label', {}, element('span', {}, label), box);
  };

  const copy = async (text, button) => {
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = element('textarea', { class: 'x-copy', 'aria-hidden': 'true' });
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand('copy');
      area.remove();
    }
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = before; }, 1200);
  };
  const copyButton = (label, text) => {
    const button = element('button', { type: 'button', class: 'x-button', on: { click: () => copy(text, button) } }, label);
    return button;
  };

  const WORDS = { true: 'holds', false: 'does not hold', unknown: 'unknown' };
  const openRow = async (row, item) => {
    const [id, captured, method, leaves, citations] = await detail(row);
    const facts = element('dl', { class: 'x-facts' });
    const fact = (term, ...value) => facts.append(element('div', {}, element('dt', {}, term), element('dd', {}, ...value)));
    fact('Resource', element('bdi', { class: 'mono' }, uid[row]), ' ', copyButton('Copy id', uid[row]));
    fact('Type', valueOf('type', row));
    fact('Control', element('a', { href: `#control-${header.controls[control[row]][0].replace(/[^A-Za-z0-9]+/g, '-')}` }, `${header.controls[control[row]][0]} ${header.controls[control[row]][1]}`));
    fact('Check', valueOf('check', row));
    fact('Method', method === 'TEST' ? 'Test' : method === 'EXAMINE' ? 'Examination of collected configuration' : 'Inquiry');
    if (captured) fact('Captured', captured);
    fact('Observation', element('span', { class: 'mono' }, id));
    const body = element('div', { class: 'x-detail-body' }, facts);
    if (leaves.length > 0) {
      const table = element('table', {}, element('thead', {}, element('tr', {}, ...['Field', 'Observed', 'Expected', 'Condition'].map((word) => element('th', { scope: 'col' }, word)))));
      const tbody = element('tbody');
      for (const [path, operator, expected, observed, outcome, because] of leaves) {
        tbody.append(element('tr', { class: outcome },
          element('td', { class: 'mono' }, path),
          element('td', observed === null ? { class: 'none' } : { class: 'mono' }, element('bdi', {}, observed === null ? '(nothing there)' : observed)),
          element('td', { class: 'mono' }, `${operator} ${expected}`),
          element('td', { class: `x-outcome ${outcome}` }, because ? `${WORDS[outcome]}: ${because}` : WORDS[outcome])));
      }
      table.append(tbody);
      body.append(element('div', { class: 'x-scroll' }, table));
    }
    body.append(element('h4', {}, citations.length > 0 ? 'Raw records in the pack' : 'No raw record: the evidence itself is missing (see the reason)'));
    for (const [role, subject, text, command] of citations) {
      const citation = element('div', { class: 'x-citation' }, element('p', {}, element('strong', {}, role), ' ', element('bdi', { class: 'mono' }, subject === uid[row] ? '' : subject)), element('p', { class: 'mono' }, text));
      if (command) citation.append(element('div', { class: 'x-command' }, element('pre', {}, element('code', {}, command)), copyButton('Copy', command)));
      body.append(citation);
    }
    item.append(body);
  };

  const toggle = async (row, item, button) => {
    const open = button.getAttribute('aria-expanded') === 'true';
    button.setAttribute('aria-expanded', String(!open));
    if (open) {
      item.querySelector('.x-detail-body')?.remove();
      if (state.open === String(row)) state.open = '';
    } else {
      state.open = String(row);
      await openRow(row, item);
    }
    writeHash();
  };

  const itemOf = (row) => {
    const item = element('li', { class: 'x-item' });
    const place = [valueOf('account', row), valueOf('location', row)].filter((part) => part !== '' && part !== '*').join(' · ');
    const waiver = valueOf('waiver', row);
    const button = element('button', { type: 'button', class: 'x-row', 'aria-expanded': 'false', on: { click: () => toggle(row, item, button) } },
      pill(status[row]),
      element('span', { class: 'x-what' },
        element('bdi', { class: 'x-name' }, name[row]),
        element('bdi', { class: 'x-uid mono' }, uid[row]),
        element('bdi', { class: 'x-reason' }, valueOf('reason', row))),
      element('span', { class: 'x-where' }, element('span', { class: 'mono' }, header.controls[control[row]][0]), element('span', {}, place), ...(waiver ? [element('span', { class: 'x-waiver' }, `Exception ${waiver}`)] : [])));
    item.append(button);
    if (state.open === String(row)) void toggle(row, item, button);
    return item;
  };

  const show = () => {
    const pages = Math.max(1, Math.ceil(matches.length / PAGE));
    state.page = Math.min(state.page, pages - 1);
    const from = state.page * PAGE;
    list.replaceChildren(...matches.slice(from, from + PAGE).map(itemOf));
    const byStatus = new Array(header.statuses.length).fill(0);
    for (const row of matches) byStatus[status[row]] += 1;
    counts.replaceChildren(element('strong', {}, `${grouped(matches.length)} of ${grouped(rows)}`), ...header.statuses.map(([, word], at) => (byStatus[at] > 0 ? element('span', {}, `${grouped(byStatus[at])} ${word.toLowerCase()}`) : '')));
    const go = (page, label, enabled) => element('button', { type: 'button', class: 'x-button', disabled: !enabled, on: { click: () => { state.page = page; state.open = ''; show(); writeHash(); root.scrollIntoView(); } } }, label);
    pager.replaceChildren(go(0, 'First', state.page > 0), go(state.page - 1, 'Previous', state.page > 0), element('span', {}, `Page ${grouped(state.page + 1)} of ${grouped(pages)}`), go(state.page + 1, 'Next', state.page < pages - 1), go(pages - 1, 'Last', state.page < pages - 1));
    if (matches.length === 0) list.append(element('li', { class: 'x-empty' }, 'Nothing matches these filters.'));
  };

  const update = () => {
    for (const key of ['control', 'provider', 'type', 'account', 'location']) controls[key].value = state[key];
    controls.q.value = state.q;
    for (const [key, box] of Object.entries(controls.statuses)) box.setAttribute('aria-pressed', String(state.status.split(',').includes(key)));
    filter();
    show();
    writeHash();
  };

  // A cell that a spreadsheet would take for a formula gets an apostrophe in front, as in results/*.csv.
  const csvCell = (text) => {
    const clean = text.replace(/([;\t\n][^\S\n]*)(?=[=+\-@|%＝＋－＠])/gu, "$1'");
    const guarded = /^\s*[=+\-@\t\r\n|%＝＋－＠]/u.test(clean) || /^\s/u.test(clean) ? `'${clean}` : clean;
    return /[",;\t\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
  };
  const exportCsv = async () => {
    const pieces = ['control,check,status,provider,type,uid,name,account,location,reason,waiver,observation,captured_at,citations\r\n'];
    for (const row of matches) {
      const [id, captured, , , citations] = await detail(row);
      pieces.push(`${[header.controls[control[row]][0], valueOf('check', row), header.statuses[status[row]][0], valueOf('provider', row), valueOf('type', row), uid[row], name[row], valueOf('account', row), valueOf('location', row), valueOf('reason', row), valueOf('waiver', row), id, captured.replace(/^(\S+) (\S+) UTC$/, '$1T$2Z'), citations.map(([role, , text]) => `${role} ${text}`).join('\n')].map(csvCell).join(',')}\r\n`);
    }
    const link = element('a', { href: URL.createObjectURL(new Blob(['\ufeff', ...pieces], { type: 'text/csv' })), download: `observations-${header.runId.replace(/[^A-Za-z0-9._-]+/g, '-')}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  const build = () => {
    const distinct = (key) => [...merged[key].values].filter((value) => value !== '').sort().map((value) => [value, value === '*' ? 'of no single one (*)' : value]);
    const present = new Set(status);
    controls.statuses = {};
    const statusBar = element('div', { class: 'x-statuses', role: 'group', 'aria-label': 'Results' });
    header.statuses.forEach(([key], at) => {
      if (!present.has(at)) return;
      const button = element('button', { type: 'button', 'aria-pressed': 'false', on: { click: () => {
        const chosen = new Set(state.status.split(',').filter((word) => word !== ''));
        if (chosen.has(key)) chosen.delete(key);
        else chosen.add(key);
        state.status = header.statuses.map(([word]) => word).filter((word) => chosen.has(word)).join(',');
        state.page = 0;
        state.open = '';
        update();
      } } }, pill(at));
      controls.statuses[key] = button;
      statusBar.append(button);
    });
    let timer = 0;
    controls.q = element('input', { type: 'search', placeholder: 'Name, id or reason', on: { input: () => { clearTimeout(timer); timer = setTimeout(() => { state.q = controls.q.value; state.page = 0; state.open = ''; update(); }, 150); } } });
    const reset = (label, over) => element('button', { type: 'button', class: 'x-button', on: { click: () => { for (const key of FILTERS) state[key] = ''; Object.assign(state, { page: 0, open: '' }, over); update(); } } }, label);
    root.append(
      element('div', { class: 'x-filters' },
        element('label', { class: 'x-search' }, element('span', {}, 'search'), controls.q),
        select('control', 'controls', header.controls.map(([id, title]) => [id, `${id} ${title}`])),
        select('provider', 'providers', distinct('provider')),
        select('account', 'accounts', distinct('account')),
        select('location', 'locations', distinct('location')),
        select('type', 'types', distinct('type'))),
      statusBar,
      element('div', { class: 'x-bar' }, counts, element('span', { class: 'x-actions' }, reset('Not passing', { status: NON_PASSING.join(',') }), reset('Clear', {}), element('button', { type: 'button', class: 'x-button', on: { click: () => { void exportCsv(); } } }, 'Export these as CSV'))),
      list,
      pager);
    root.hidden = false;
  };

  addEventListener('hashchange', () => {
    if (!location.hash.startsWith('#find')) return;
    readHash();
    update();
    document.getElementById('find').scrollIntoView();
  });
  load().then(() => {
    build();
    const asked = location.hash.startsWith('#find');
    readHash();
    for (const key of ['control', 'provider', 'type', 'account', 'location']) controls[key].value = state[key];
    controls.q.value = state.q;
    for (const [key, box] of Object.entries(controls.statuses)) box.setAttribute('aria-pressed', String(state.status.split(',').includes(key)));
    filter();
    show();
    root.dataset.ready = 'true';
    if (asked) document.getElementById('find').scrollIntoView();
  }).catch((error) => {
    root.hidden = false;
    root.textContent = `The list could not be read: ${error.message}. results/observations.csv holds the same rows.`;
  });
})();
