export * from './json.ts';
export * from './status.ts';
export * from './provider.ts';
export * from './evidence.ts';
export * from './resource.ts';
export * from './control.ts';
export * from './result.ts';
export * from './needs.ts';
