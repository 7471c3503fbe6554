import { MultiBar, type SingleBar } from 'cli-progress';
import type { CollectProgress } from '../collectors/collector.ts';
import { visible, visibleLines } from '../text/visible.ts';
import { count, plural, type Terminal } from './console.ts';

interface ScopeState {
  readonly bar: SingleBar | undefined;
  pages: number;
  items: number;
  expected: number;
}

/** Progress of a collection: on a terminal one bar for each cloud scope under way, in a log one plain line when a scope is done. `signal`: what was asked to stop did not fail. */
export function collectProgress(terminal: Terminal, signal?: AbortSignal): CollectProgress & { stop(): void } {
  const states = new Map<string, ScopeState>();
  const bars = terminal.interactive
    ? new MultiBar({
        stream: process.stderr,
        format: '  {label} {bar} {pages} pages  {items} records',
        barCompleteChar: '█',
        barIncompleteChar: '·',
        barsize: 24,
        hideCursor: true,
        clearOnComplete: true,
        forceRedraw: false,
        fps: 8,
      })
    : undefined;

  const state = (collector: string, scope: string): ScopeState => {
    const key = `${collector} ${scope}`;
    let found = states.get(key);
    if (!found) {
      found = { bar: undefined, pages: 0, items: 0, expected: 0 };
      states.set(key, found);
    }
    return found;
  };

  const line = (text: string): void => {
    if (bars) bars.log(`${text}\n`);
    else terminal.say(text);
  };

  return {
    scope(collector, scope, expectedCalls = 1) {
      const key = `${collector} ${scope}`;
      const bar = bars?.create(expectedCalls, 0, { label: visible(key).padEnd(52).slice(0, 52), pages: 0, items: 0 });
      states.set(key, { bar, pages: 0, items: 0, expected: expectedCalls });
    },
    page(collector, scope, _query, items) {
      const current = state(collector, scope);
      current.pages += 1;
      current.items += items;
      if (current.pages > current.expected) {
        current.expected = current.pages + 1;
        current.bar?.setTotal(current.expected);
      }
      current.bar?.update(current.pages, { pages: count(current.pages), items: count(current.items) });
    },
    done(collector, scope, status) {
      const { bar, pages, items } = state(collector, scope);
      if (bar) bars?.remove(bar);
      const mark = status === 'complete' ? terminal.style.green('✓') : terminal.style.yellow('!');
      // A resumed run finds all of it on disk.
      const figures = pages === 0 && status === 'complete' ? 'nothing left to ask' : `${plural(pages, 'page')}, ${plural(items, 'record')}`;
      const word = status === 'failed' && signal?.aborted === true ? 'stopped' : status;
      line(
        `  ${mark} ${visible(`${collector} ${scope}`).padEnd(60)} ${figures}${status === 'complete' ? '' : `  ${terminal.style.yellow(word)}`}`,
      );
    },
    note(collector, scope, message) {
      line(`  ${terminal.style.yellow('!')} ${visibleLines(`${collector} ${scope}: ${message}`)}`);
    },
    stop() {
      // Lines logged since the last redraw would go with the bars.
      (bars as unknown as { update(): void } | undefined)?.update();
      bars?.stop();
    },
  };
}

/** Seconds going by on a terminal, for a stage that has nothing to count. Returns the end of it. */
export function ticker(terminal: Terminal): () => void {
  if (!terminal.interactive) return () => undefined;
  const started = performance.now();
  const draw = (): void =>
    void process.stderr.write(`\r  ${terminal.style.dim(`${((performance.now() - started) / 1000).toFixed(0)} s …`)}`);
  const timer = setInterval(draw, 1000);
  return () => {
    clearInterval(timer);
    process.stderr.write('\r\u001b[2K');
  };
}
