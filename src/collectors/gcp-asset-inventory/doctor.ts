import type { CollectContext, DoctorFinding } from '../collector.ts';

export async function diagnose(context: Omit<CollectContext, 'writer'>): Promise<DoctorFinding[]> {
  void context;
  return [];
}
