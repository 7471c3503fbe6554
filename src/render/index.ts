export { render, reportFormats } from './render.ts';
export type { BrowserRecord, RenderOptions, RenderReport, ReportFormat, SigningInfo, WrittenFile } from './render.ts';
