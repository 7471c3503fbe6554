/** How a verb speaks: results on stdout, everything else on stderr; `--json` makes stdout one JSON document. */
export interface ConsoleOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
}

export interface Terminal {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Whether stderr is a terminal that can redraw. */
  readonly interactive: boolean;
  /** A result: stdout, silent under `--json`. */
  print(line?: string): void;
  /** What is going on: stderr, silent under `--quiet`. */
  say(line?: string): void;
  /** A warning or error: stderr, always. */
  warn(line: string): void;
  /** The machine-readable result: stdout, only under `--json`. */
  result(value: unknown): void;
  readonly style: Style;
}

export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly blue: (text: string) => string;
}

function styleOf(color: boolean): Style {
  const wrap = (on: number, off: number) => (text: string) => (color ? `\u001b[${on}m${text}\u001b[${off}m` : text);
  return { bold: wrap(1, 22), dim: wrap(2, 22), red: wrap(31, 39), green: wrap(32, 39), yellow: wrap(33, 39), blue: wrap(34, 39) };
}

/** Colour only where someone can see it, and never against NO_COLOR, `--no-color` or TERM=dumb. */
export function wantsColor(flag: boolean | undefined, stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  if (flag === false || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') return false;
  return stream.isTTY === true || (env['FORCE_COLOR'] ?? '') !== '';
}

export function terminal(options: ConsoleOptions): Terminal {
  return {
    json: options.json,
    quiet: options.quiet,
    interactive:
      process.stderr.isTTY === true && !options.quiet && !options.json && process.env['CI'] === undefined && process.env['TERM'] !== 'dumb',
    style: styleOf(options.color),
    print: (line = '') => {
      if (!options.json) process.stdout.write(`${line}\n`);
    },
    say: (line = '') => {
      if (!options.quiet) process.stderr.write(`${line}\n`);
    },
    warn: (line) => {
      process.stderr.write(`${line}\n`);
    },
    result: (value) => {
      if (options.json) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
  };
}

/** 1,234,567 in every locale. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  if (value < 1024 ** 2) return `${(value / 1024).toFixed(0)} kB`;
  if (value < 1024 ** 3) return `${(value / 1024 ** 2).toFixed(1)} MB`;
  return `${(value / 1024 ** 3).toFixed(2)} GB`;
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
