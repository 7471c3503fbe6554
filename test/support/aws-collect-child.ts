import { collectRequestOf } from './aws.ts';
import { collect } from '../../src/collectors/collect.ts';

/** A collecting process to be killed: prints a line per page. Arguments: origin, account, region, run directory, types. */
const [origin = '', account = '', region = '', runDirectory = '', types = ''] = process.argv.slice(2);
await collect({
  ...collectRequestOf({ origin, member: account, region }, runDirectory, types.split(',')),
  progress: {
    scope: () => undefined,
    page: (_collector, _scope, query) => {
      process.stdout.write(`${query}\n`);
    },
    done: () => undefined,
    note: () => undefined,
  },
});
