import type { JsonObject } from '../../model/index.ts';
import { type AzureCell, type AzurePopulation, azureRow, type AzureRow, azureTenant, resourceId } from './azure-model.ts';
import { day, iso } from './population.ts';
import { random, type Random } from './random.ts';

/** What is wrong with a vault; `rbac` and `policies` are sound. */
export type VaultKind = 'rbac' | 'policies' | 'no-purge-protection' | 'soft-delete-off' | 'open-network';
export interface VaultSpec {
  readonly name: string;
  readonly id: string;
  readonly uri: string;
  readonly kind: VaultKind;
  readonly rbac: boolean;
}
export interface HsmSpec {
  readonly name: string;
  readonly id: string;
  readonly uri: string;
  readonly purgeProtected: boolean;
}
export interface IdentitySpec {
  readonly name: string;
  readonly id: string;
  readonly principalId: string;
  readonly clientId: string;
  readonly mayWrap: boolean;
  /** May encrypt and decrypt, which the key management of Kubernetes clusters needs. */
  readonly mayDecrypt: boolean;
}
export interface DiskSetSpec {
  readonly name: string;
  readonly id: string;
  readonly principalId: string;
  readonly vault: VaultSpec;
  readonly rotates: boolean;
  readonly mayWrap: boolean;
}
/** A key in a vault, known to Resource Graph only through the policies that look at it. */
export interface VaultKeySpec {
  readonly vault: VaultSpec;
  readonly name: string;
  readonly type: 'RSA' | 'RSA-HSM';
  readonly size: number;
  readonly rotates: boolean;
  readonly expires: boolean;
}

export interface VaultEstate {
  readonly vaults: readonly VaultSpec[];
  readonly hsms: readonly HsmSpec[];
  readonly identities: readonly IdentitySpec[];
  readonly diskSets: readonly DiskSetSpec[];
  readonly keys: readonly VaultKeySpec[];
}

export const keyNames = ['cmk-storage', 'cmk-data', 'cmk-messaging'] as const;

/** Vaults, managed HSMs, identities and disk encryption sets of a subscription. */
export function vaultEstate(of: { seed: number; subscription: string; perSubscription: number; empty: boolean }): VaultEstate {
  if (of.empty) return { vaults: [], hsms: [], identities: [], diskSets: [], keys: [] };
  const short = of.subscription.slice(0, 4);
  const growth = Math.max(0, Math.floor(Math.log2(Math.max(1, of.perSubscription / 100))));
  const kinds: VaultKind[] = [
    'rbac',
    'policies',
    'no-purge-protection',
    'open-network',
    'soft-delete-off',
    ...Array.from({ length: growth }, (_, i): VaultKind => (i % 2 === 0 ? 'rbac' : 'policies')),
  ];
  const vaults = kinds.map((kind, index): VaultSpec => {
    const name = `kv-nw-${short}-${['core', 'legacy', 'apps', 'edge', 'old'][index] ?? `team${String(index)}`}`;
    return {
      name,
      id: resourceId(of.subscription, 'rg-security', 'Microsoft.KeyVault/vaults', name),
      uri: `https://${name}.vault.azure.net/`,
      kind,
      rbac: kind === 'rbac' || kind === 'no-purge-protection' || kind === 'open-network',
    };
  });
  const hsms = [true, false].map((purgeProtected, index): HsmSpec => {
    const name = `hsm-nw-${short}-${String(index)}`;
    return {
      name,
      id: resourceId(of.subscription, 'rg-security', 'Microsoft.KeyVault/managedHSMs', name),
      uri: `https://${name}.managedhsm.azure.net/`,
      purgeProtected,
    };
  });
  const identities = ['id-cmk-storage', 'id-cmk-data', 'id-cmk-unprivileged', 'id-aks-secrets'].map((name, index): IdentitySpec => {
    const pick = random(of.seed, 'identity', of.subscription, name);
    return {
      name,
      id: resourceId(of.subscription, 'rg-security', 'Microsoft.ManagedIdentity/userAssignedIdentities', name),
      principalId: pick.guid(),
      clientId: pick.guid(),
      mayWrap: index < 2,
      mayDecrypt: index === 3,
    };
  });
  const core = vaults[0] as VaultSpec;
  const legacy = vaults[1] as VaultSpec;
  const diskSets = (
    [
      ['des-core', core, true, true],
      ['des-legacy', legacy, true, true],
      ['des-pinned', core, false, true],
      ['des-orphan', core, true, false],
    ] as const
  ).map(([name, vault, rotates, mayWrap]): DiskSetSpec => ({
    name,
    id: resourceId(of.subscription, 'rg-security', 'Microsoft.Compute/diskEncryptionSets', name),
    principalId: random(of.seed, 'des', of.subscription, name).guid(),
    vault,
    rotates,
    mayWrap,
  }));
  const keys = vaults.flatMap((vault, v) =>
    [...keyNames, ...(v === 0 ? ['cmk-disk'] : [])].map((name, k): VaultKeySpec => {
      const pick = random(of.seed, 'vault-key', vault.name, name);
      return {
        vault,
        name,
        type: pick.chance(0.2) ? 'RSA-HSM' : 'RSA',
        size: pick.pick([2048, 3072, 3072, 4096]),
        rotates: !(v === 1 && k === 2) && pick.chance(0.9),
        expires: pick.chance(0.9),
      };
    }),
  );
  return { vaults, hsms, identities, diskSets, keys };
}

/** Which principals may wrap with a vault's keys: what access policies (or role assignments) are made of. */
export function wrappingPrincipals(cell: AzureCell, vault: VaultSpec): { principalId: string; for: string }[] {
  const { identities, diskSets } = cell.vaults;
  return [
    ...identities.filter((identity) => identity.mayWrap).map((identity) => ({ principalId: identity.principalId, for: identity.name })),
    ...diskSets.filter((set) => set.mayWrap && set.vault === vault).map((set) => ({ principalId: set.principalId, for: set.name })),
  ];
}

/** Private endpoints of a vault, as far as its kind has any. */
function endpointsOf(vault: { id: string }, approved: boolean): JsonObject[] {
  return approved
    ? [
        {
          id: `${vault.id}/privateEndpointConnections/pe-security`,
          properties: {
            provisioningState: 'Succeeded',
            privateEndpoint: { id: vault.id.replace(/\/providers\/.*$/, '/providers/Microsoft.Network/privateEndpoints/pe-security') },
            privateLinkServiceConnectionState: { status: 'Approved', actionsRequired: 'None' },
          },
        },
      ]
    : [];
}

/** The firewall of a vault that is closed, and of one that every network reaches. */
const firewall = (open: boolean, bypass = 'AzureServices'): JsonObject => ({
  bypass,
  defaultAction: open ? 'Allow' : 'Deny',
  ipRules: [],
  virtualNetworkRules: [],
});

function vaultRow(cell: AzureCell, vault: VaultSpec): AzureRow {
  const pick = random(cell.seed, 'vault', vault.name);
  const policy = (objectId: string, keys: string[]): JsonObject => ({
    tenantId: azureTenant,
    objectId,
    permissions: { keys, secrets: [], certificates: [], storage: [] },
  });
  const unprivileged = cell.vaults.identities.find((identity) => !identity.mayWrap && !identity.mayDecrypt);
  const properties: JsonObject = {
    sku: { family: 'A', name: vault.kind === 'rbac' ? 'Premium' : 'Standard' },
    tenantId: azureTenant,
    // Vaults with access policies rely on private endpoints alone; the oldest were made before there was a firewall.
    ...(vault.kind === 'soft-delete-off'
      ? {}
      : { networkAcls: firewall(vault.kind === 'open-network', vault.kind === 'policies' ? 'None' : undefined) }),
    privateEndpointConnections: endpointsOf(vault, vault.kind === 'policies'),
    accessPolicies: vault.rbac
      ? []
      : [
          // The service writes permissions in whatever case they were set.
          ...wrappingPrincipals(cell, vault).map(({ principalId }, index) =>
            policy(principalId, index % 2 === 0 ? ['get', 'wrapKey', 'unwrapKey'] : ['Get', 'WrapKey', 'UnwrapKey', 'List']),
          ),
          ...(unprivileged === undefined ? [] : [policy(unprivileged.principalId, ['get', 'list'])]),
          ...cell.vaults.identities
            .filter((identity) => identity.mayDecrypt)
            .map((identity) => policy(identity.principalId, ['encrypt', 'decrypt'])),
          policy(pick.guid(), ['get', 'list', 'create', 'rotate', 'getrotationpolicy', 'setrotationpolicy']),
        ],
    enabledForDeployment: false,
    enabledForDiskEncryption: vault.kind === 'policies',
    enabledForTemplateDeployment: false,
    enableSoftDelete: vault.kind !== 'soft-delete-off',
    softDeleteRetentionInDays: 90,
    ...(vault.kind === 'policies' ? { enableRbacAuthorization: false } : vault.rbac ? { enableRbacAuthorization: true } : {}),
    ...(vault.kind === 'no-purge-protection' || vault.kind === 'soft-delete-off' ? {} : { enablePurgeProtection: true }),
    vaultUri: vault.uri,
    provisioningState: 'Succeeded',
    ...(vault.kind === 'soft-delete-off' ? {} : { publicNetworkAccess: vault.kind === 'open-network' ? 'Enabled' : 'Disabled' }),
  };
  const troubles =
    vault.kind === 'rbac' || vault.kind === 'policies'
      ? []
      : [`vault-${vault.kind}`, ...(vault.kind === 'soft-delete-off' ? ['vault-open-network'] : [])];
  const row = azureRow(cell, {
    type: 'Microsoft.KeyVault/vaults',
    group: 'rg-security',
    name: vault.name,
    location: 'westeurope',
    properties,
    tags: { owner: 'identity-team' },
  });
  return { uid: vault.id.toLowerCase(), troubles, classification: 'unclassified', row };
}

function hsmRow(cell: AzureCell, hsm: HsmSpec): AzureRow {
  const row = azureRow(cell, {
    type: 'Microsoft.KeyVault/managedHSMs',
    group: 'rg-security',
    name: hsm.name,
    location: 'westeurope',
    sku: { family: 'B', name: 'Standard_B1' },
    tags: { owner: 'identity-team' },
    properties: {
      tenantId: azureTenant,
      hsmUri: hsm.uri,
      initialAdminObjectIds: [random(cell.seed, hsm.name).guid()],
      enableSoftDelete: true,
      softDeleteRetentionInDays: 90,
      ...(hsm.purgeProtected ? { enablePurgeProtection: true } : {}),
      networkAcls: firewall(!hsm.purgeProtected),
      publicNetworkAccess: hsm.purgeProtected ? 'Disabled' : 'Enabled',
      provisioningState: 'Succeeded',
      statusMessage: 'The Managed HSM is provisioned and ready to use.',
      securityDomainProperties: { activationStatus: 'Active' },
    },
  });
  return {
    uid: hsm.id.toLowerCase(),
    troubles: hsm.purgeProtected ? [] : ['vault-no-purge-protection', 'vault-open-network'],
    classification: 'unclassified',
    row,
  };
}

function identityRow(cell: AzureCell, identity: IdentitySpec): AzureRow {
  const row = azureRow(cell, {
    type: 'Microsoft.ManagedIdentity/userAssignedIdentities',
    group: 'rg-security',
    name: identity.name,
    location: 'westeurope',
    properties: { tenantId: azureTenant, principalId: identity.principalId, clientId: identity.clientId },
  });
  return {
    uid: identity.id.toLowerCase(),
    troubles: identity.mayWrap || identity.mayDecrypt ? [] : ['identity-cannot-wrap'],
    classification: 'unclassified',
    row,
  };
}

function diskSetRow(cell: AzureCell, set: DiskSetSpec): AzureRow {
  const pick = random(cell.seed, 'des-row', set.id);
  const row = azureRow(cell, {
    type: 'Microsoft.Compute/diskEncryptionSets',
    group: 'rg-security',
    name: set.name,
    location: 'westeurope',
    identity: { type: 'SystemAssigned', principalId: set.principalId, tenantId: azureTenant },
    properties: {
      activeKey: { sourceVault: { id: set.vault.id }, keyUrl: `${set.vault.uri}keys/cmk-disk/${pick.hex(32)}` },
      encryptionType: set.name === 'des-core' ? 'EncryptionAtRestWithPlatformAndCustomerKeys' : 'EncryptionAtRestWithCustomerKey',
      rotationToLatestKeyVersionEnabled: set.rotates,
      ...(set.rotates ? { lastKeyRotationTimestamp: iso(cell.asOf - Math.floor((5 + pick.next() * 60) * day)) } : {}),
      previousKeys: [],
      provisioningState: 'Succeeded',
    },
  });
  return {
    uid: set.id.toLowerCase(),
    troubles: [...(set.rotates ? [] : ['disk-set-no-rotation']), ...(set.mayWrap ? [] : ['identity-cannot-wrap'])],
    classification: 'unclassified',
    row,
  };
}

export function azureVaultPopulations(cell: AzureCell): AzurePopulation[] {
  const { vaults, hsms, identities, diskSets } = cell.vaults;
  const population = <T>(type: string, of: readonly T[], make: (one: T) => AzureRow): AzurePopulation => ({
    table: 'resources',
    type,
    account: cell.subscription.id,
    region: '*',
    count: of.length,
    record: (i) => make(of[i] as T),
  });
  return [
    population('microsoft.keyvault/vaults', vaults, (vault) => vaultRow(cell, vault)),
    population('microsoft.keyvault/managedhsms', hsms, (hsm) => hsmRow(cell, hsm)),
    population('microsoft.managedidentity/userassignedidentities', identities, (identity) => identityRow(cell, identity)),
    population('microsoft.compute/diskencryptionsets', diskSets, (set) => diskSetRow(cell, set)),
  ];
}

/** A store's customer key: where it lies, which version, and who unwraps it. */
export interface CustomerKey {
  readonly vaultUri: string;
  readonly vaultId: string | null;
  readonly keyName: string;
  /** Empty for automatic update to the latest version. */
  readonly keyVersion: string;
  readonly currentVersion: string;
  readonly rotatedAt: number;
  readonly identity: { readonly kind: 'user' | 'system'; readonly id: string; readonly principalId: string; readonly clientId: string };
  /** Client id of the multi-tenant application where the vault is in another tenant. */
  readonly federatedClientId: string | null;
  readonly troubles: string[];
}

/** Index below which a store may have an identity of its own: each of those needs a role assignment of its own. */
export const systemIdentityLimit = 6;

/** Whether a store's own identity was ever given the right to wrap: the second one of each type was forgotten. */
export const systemIdentityMayWrap = (index: number): boolean => index % 6 === 2;

/** The principal of a store's own identity, the same wherever it is asked for. */
export function systemPrincipal(cell: AzureCell, type: string, index: number): string {
  return random(cell.seed, 'system-identity', cell.subscription.id, type, index).guid();
}

/** Chooses the customer key of a store, or null for the platform's. */
export function chooseCustomerKey(cell: AzureCell, pick: Random, type: string, index: number): CustomerKey | null {
  const { vaults, hsms, identities } = cell.vaults;
  const where = pick.weighted({
    platform: 13,
    core: 57,
    legacy: 16,
    hsm: 4,
    'hsm-unprotected': 0.8,
    'no-purge-protection': 2.5,
    'open-network': 3,
    'soft-delete-off': 1.2,
    'other-tenant': 1.5,
    missing: 1,
  });
  if (where === 'platform') return null;
  const of = (kind: VaultKind): VaultSpec => pick.pick(vaults.filter((vault) => vault.kind === kind));
  const vault =
    where === 'core'
      ? of('rbac')
      : where === 'legacy'
        ? of('policies')
        : where === 'no-purge-protection' || where === 'open-network' || where === 'soft-delete-off'
          ? of(where)
          : null;
  const hsm =
    where === 'hsm'
      ? hsms.find((one) => one.purgeProtected)
      : where === 'hsm-unprotected'
        ? hsms.find((one) => !one.purgeProtected)
        : undefined;
  const uri =
    vault?.uri ??
    hsm?.uri ??
    (where === 'other-tenant' ? 'https://kv-partner-exchange.vault.azure.net/' : `https://kv-nw-gone-${pick.hex(4)}.vault.azure.net/`);
  const pinned = pick.weighted({ automatic: 84, fresh: 10, old: 6 });
  const currentVersion = pick.hex(32);
  const rotatedAt = cell.asOf - Math.floor((pinned === 'old' ? 500 + pick.next() * 400 : 5 + pick.next() * 80) * day);
  const own = vault?.rbac === true && index < systemIdentityLimit && index % 3 === 2;
  const shared = pick.chance(0.97)
    ? pick.pick(identities.filter((identity) => identity.mayWrap))
    : (identities.find((identity) => !identity.mayWrap && !identity.mayDecrypt) as IdentitySpec);
  const identity = own
    ? { kind: 'system' as const, id: '', principalId: systemPrincipal(cell, type, index), clientId: '' }
    : { kind: 'user' as const, id: shared.id, principalId: shared.principalId, clientId: shared.clientId };
  const troubles: string[] = [];
  if (where === 'hsm-unprotected' || where === 'no-purge-protection') troubles.push('vault-no-purge-protection');
  if (where === 'soft-delete-off') troubles.push('vault-soft-delete-off');
  if (where === 'open-network') troubles.push('vault-open-network');
  if (where === 'other-tenant') troubles.push('vault-in-another-tenant');
  if (where === 'missing') troubles.push('vault-not-found');
  if (pinned === 'old') troubles.push('pinned-old-version');
  if (own ? !systemIdentityMayWrap(index) : !shared.mayWrap) troubles.push('identity-cannot-wrap');
  return {
    vaultUri: uri,
    vaultId: vault?.id ?? hsm?.id ?? null,
    keyName: pick.pick(keyNames),
    keyVersion: pinned === 'automatic' ? '' : currentVersion,
    currentVersion,
    rotatedAt,
    identity,
    federatedClientId: where === 'other-tenant' ? pick.guid() : null,
    troubles,
  };
}
