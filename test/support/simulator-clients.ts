import { BatchGetResourceConfigCommand, ConfigServiceClient } from '@aws-sdk/client-config-service';
import { ResourceGraphClient } from '@azure/arm-resourcegraph';
import { createDefaultHttpClient, type HttpClient } from '@azure/core-rest-pipeline';
import { AssetServiceClient } from '@google-cloud/asset';
import grpc from '@grpc/grpc-js';
import { PassThroughClient } from 'google-auth-library';
import type { Simulator } from '../../src/simulator/index.ts';

/** The real SDK clients, pointed at a simulator. */

export function configClient(simulator: Simulator, of: { account?: string; region?: string; attempts?: number } = {}): ConfigServiceClient {
  const account = of.account ?? '111122223333';
  return new ConfigServiceClient({
    region: of.region ?? 'eu-west-1',
    endpoint: simulator.endpoints.aws.config,
    maxAttempts: of.attempts ?? 1,
    credentials: { accessKeyId: `AKIASIM0${account}`, secretAccessKey: 'secret' },
    requestHandler: { requestTimeout: 1500, throwOnRequestTimeout: true },
  });
}
export { BatchGetResourceConfigCommand };

export function loopbackClient(origin: string): HttpClient {
  const base = createDefaultHttpClient();
  return {
    async sendRequest(request) {
      const url = request.url;
      const asked = new URL(url);
      request.url = origin + asked.pathname + asked.search;
      request.allowInsecureConnection = true;
      delete request.agent;
      delete request.proxySettings;
      try {
        return await base.sendRequest(request);
      } finally {
        request.url = url;
      }
    },
  };
}

export const anyToken = { getToken: () => Promise.resolve({ token: 'loopback', expiresOnTimestamp: Date.now() + 3_600_000 }) };

export function graphClient(simulator: Simulator, retries = 0): ResourceGraphClient {
  return new ResourceGraphClient(anyToken, {
    httpClient: loopbackClient(simulator.endpoints.azure.resourceManager),
    retryOptions: { maxRetries: retries, retryDelayInMs: 1 },
  });
}

export function assetClient(simulator: Simulator): AssetServiceClient {
  const [servicePath, port] = simulator.endpoints.gcp.cloudAsset.split(':');
  return new AssetServiceClient({
    servicePath,
    port: Number(port),
    sslCreds: grpc.credentials.createInsecure(),
    authClient: new PassThroughClient(),
    'grpc.enable_http_proxy': 0,
  } as unknown as ConstructorParameters<typeof AssetServiceClient>[0]);
}
