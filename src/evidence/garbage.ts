import { setFlagsFromString } from 'node:v8';

/**
 * Large evidence makes garbage faster than V8 sees a reason to collect it: without a bound a run keeps three times what it needs.
 * Both settings are read at every collection, so they may change in a running process. Returns what puts the defaults back.
 */
export function boundGarbage(): () => void {
  setFlagsFromString('--heap-growing-percent=30');
  setFlagsFromString('--semi-space-growth-factor=1');
  return () => {
    setFlagsFromString('--heap-growing-percent=0');
    setFlagsFromString('--semi-space-growth-factor=2');
  };
}
