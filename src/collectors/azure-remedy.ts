/** What to do about a failure, exactly. `identity` as in the ledger (`appid=… oid=…`), `at` the Azure id to grant at. */
export function azureRemedy(code: string, identity: string, at: string): string | undefined {
  const assignee = /\boid=(\S+)/.exec(identity)?.[1] ?? '<object id>';
  switch (code) {
    case 'access-denied':
      return `az role assignment create --assignee ${assignee} --role Reader --scope ${at === '' ? '<scope>' : at}`;
    case 'expired-credentials':
      return 'sign in again (`az login`), or renew the federated or client credential';
    case 'no-credentials':
      return 'run `az login`, set AZURE_CLIENT_ID, AZURE_TENANT_ID and a secret or certificate, or run where a managed or workload identity is at hand';
    case 'connection':
    case 'timeout':
      return 'check network, proxy and `endpoints.azure`';
    case 'throttled':
      return "another client spends the identity's Resource Graph quota: give this one its own identity, or run it later";
    default:
      return undefined;
  }
}
