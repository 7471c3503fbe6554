/** What a judging thread runs (see Threads in controls/assess.ts). */
import { pageReaders } from './collectors/registry.ts';
import { serveParts } from './controls/assess/workers.ts';

await serveParts(pageReaders());
