import { KqlError } from './kql.ts';

/**
 * The documented tables of Resource Graph. The estate has rows in four of them; the others are empty, as in an organisation
 * that uses none of those services.
 */
const tables = new Set(
  `advisorresources alertsmanagementresources appserviceresources authorizationresources awsresources
  azurebusinesscontinuityresources chaosresources communitygalleryresources computeresources desktopvirtualizationresources
  dnsresources edgeorderresources elasticsanresources extendedlocationresources featureresources guestconfigurationresources
  healthresourcechanges healthresources insightsresources iotsecurityresources kubernetesconfigurationresources kustoresources
  maintenanceresources managedservicesresources migrateresources networkresources patchassessmentresources
  patchinstallationresources policyresources recoveryservicesresources resourcechanges resourcecontainerchanges resourcecontainers
  resources securityresources servicefabricresources servicehealthresources spotresources supportresources tagsresources`.split(/\s+/),
);

/** A count of a table that does not exist must not look like a proved zero. */
export function requireTable(name: string): void {
  if (!tables.has(name)) throw new KqlError(`Table '${name}' is not known to Resource Graph.`);
}
