import { type DoctorFinding } from '../collector.ts';
import type { CollectContext } from '../collector.ts';

export async function diagnose(context: Omit<CollectContext, 'writer'>): Promise<DoctorFinding[]> {
  void context;
  return [];
}
