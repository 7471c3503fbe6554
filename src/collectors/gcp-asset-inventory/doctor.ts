import { isJsonObject, type Reason } from '../../model/index.ts';
import type { Answer } from '../attempts.ts';
import { clockFinding } from '../clock.ts';
import type { CollectContext, DoctorFinding } from '../collector.ts';
import type { Received } from '../paging.ts';
import { projectType } from './queries.ts';
import { type GcpParent, gcpScopes } from './scopes.ts';

const collector = 'gcp-asset-inventory';

function member(identity: string): string {
  return identity.endsWith('.gserviceaccount.com') ? `serviceAccount:${identity}` : '<member>';
}

/** The exact command that mends a failure of a call below `parent`. */
export function gcpRemedy(code: string, parent: GcpParent, identity: string): string | undefined {
  const id = parent.name.split('/')[1] ?? parent.name;
  const quota = parent.quotaProject ?? (parent.kind === 'projects' ? id : '<quota project>');
  const group = { organizations: 'organizations', folders: 'resource-manager folders', projects: 'projects' }[parent.kind];
  switch (code) {
    case 'access-denied':
      return `gcloud ${group} add-iam-policy-binding ${id} --member=${member(identity)} --role=roles/cloudasset.viewer; and on ${quota} --role=roles/serviceusage.serviceUsageConsumer`;
    case 'not-enabled':
      return `gcloud services enable cloudasset.googleapis.com --project=${quota}`;
    case 'no-credentials':
    case 'expired-credentials':
      return 'run `gcloud auth application-default login`, or run where a service account or workload identity is at hand';
    case 'clock-skew':
      return 'set the clock of this machine (`timedatectl set-ntp true`)';
    case 'connection':
    case 'timeout':
      return 'check network, proxy and `endpoints.gcp`';
    case 'not-found':
      return `check the id of ${parent.name}`;
    default:
      return undefined;
  }
}

async function diagnoseParent(context: Omit<CollectContext, 'writer'>, parent: GcpParent): Promise<DoctorFinding[]> {
  const client = (await import('./client.ts')).connect(context, parent.quotaProject);
  try {
    const who = await client.identity();
    const failed = (check: string, reason: Reason, identity: string): DoctorFinding => {
      const remedy = gcpRemedy(reason.code, parent, identity);
      return {
        collector,
        scope: parent.name,
        check,
        ok: false,
        detail: reason.message,
        reasons: [reason],
        ...(remedy === undefined ? {} : { remedy }),
      };
    };
    if (!who.ok) return [failed('identity', who.reason, '')];
    const findings: DoctorFinding[] = [{ collector, scope: parent.name, check: 'identity', ok: true, detail: who.value }];
    const judge = (check: string, answer: Answer<Received>): void => {
      findings.push(
        answer.ok ? { collector, scope: parent.name, check, ok: true, detail: 'allowed' } : failed(check, answer.reason, who.value),
      );
    };
    const list = await client.listAssets({
      parent: parent.name,
      content: 'RESOURCE',
      types: [projectType],
      readTime: null,
      pageToken: null,
    });
    judge('cloudasset.assets.listResource', list);
    if (context.needs.iamPolicies.length > 0) {
      judge(
        'cloudasset.assets.listIamPolicy',
        await client.listAssets({ parent: parent.name, content: 'IAM_POLICY', types: [projectType], readTime: null, pageToken: null }),
      );
      judge(
        'cloudasset.assets.searchAllIamPolicies',
        await client.searchAllIamPolicies({ scope: parent.name, types: [projectType], pageToken: null }),
      );
    }
    if (context.needs.orgPolicies)
      judge(
        'cloudasset.assets.listOrgPolicy',
        await client.listAssets({ parent: parent.name, content: 'ORG_POLICY', types: [projectType], readTime: null, pageToken: null }),
      );
    judge(
      'cloudasset.assets.searchAllResources',
      await client.searchAllResources({ scope: parent.name, types: [projectType], pageToken: null }),
    );
    const theirs =
      list.ok && isJsonObject(list.value.json) && typeof list.value.json.readTime === 'string' ? list.value.json.readTime : null;
    return [...findings, ...clockFinding(collector, parent.name, theirs, Date.now())];
  } finally {
    await client.close();
  }
}

/** Identity, API enablement and permission for each call that a run makes, and the clock, for every configured root. */
export async function diagnose(context: Omit<CollectContext, 'writer'>): Promise<DoctorFinding[]> {
  const findings = await Promise.all(gcpScopes(context.config.scopes.gcp).map((parent) => diagnoseParent(context, parent)));
  return findings.flat();
}
