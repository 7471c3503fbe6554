import { Command } from 'commander';
import { existsSync, writeFileSync } from 'node:fs';
import { UsageError } from '../exit.ts';
import { terminalOf } from '../session.ts';

/** A whole number in a range, or a clear word. */
export function whole(name: string, least: number, most: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < least || number > most)
      throw new UsageError(`--${name} must be a whole number from ${least} to ${most}, not \`${value}\``);
    return number;
  };
}

function portTaken(error: unknown): unknown {
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  return code === 'EADDRINUSE'
    ? new UsageError(`port ${String(port ?? '')} is in use`, 'choose another, or leave the port out for one that is free')
    : error;
}

export function simulateVerb(): Command {
  return new Command('simulate')
    .description('serve the simulated clouds on loopback until stopped, and print a configuration for them')
    .option('--resources <n>', 'resources in the estate', whole('resources', 50, 1_000_000), 2000)
    .option('--seed <n>', 'seed of the estate', whole('seed', 0, 2 ** 31 - 1), 1)
    .option('--aws-port <port>', 'port of AWS Config and STS', whole('aws-port', 0, 65_535), 0)
    .option('--azure-port <port>', 'port of Azure Resource Manager', whole('azure-port', 0, 65_535), 0)
    .option('--gcp-port <port>', 'port of Cloud Asset Inventory', whole('gcp-port', 0, 65_535), 0)
    .option('--no-quotas', 'do not enforce the published quotas')
    .option('-o, --output <file>', 'write the configuration to a file instead of stdout')
    .addHelpText(
      'after',
      '\nExample:\n  exhibit simulate --aws-port 4580 -o exhibit.yaml &\n  AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=any aws --region eu-west-1 --endpoint-url http://127.0.0.1:4580 configservice describe-configuration-recorders',
    )
    .action(
      async (
        options: { resources: number; seed: number; awsPort: number; azurePort: number; gcpPort: number; quotas: boolean; output?: string },
        command: Command,
      ) => {
        const here = terminalOf(command);
        if (options.output !== undefined && existsSync(options.output))
          throw new UsageError(
            `${options.output} is there already and is not overwritten`,
            'name another file with --output, or move it away',
          );
        const { startSimulator } = await import('../../simulator/index.ts');
        const simulator = await startSimulator({
          resources: options.resources,
          seed: options.seed,
          asOf: new Date().toISOString(),
          quotas: options.quotas ? 'published' : 'off',
          ports: { aws: options.awsPort, azure: options.azurePort, gcp: options.gcpPort },
        }).catch((error: unknown) => {
          throw portTaken(error);
        });
        const yaml = simulator.configYaml();
        try {
          if (options.output === undefined) here.print(yaml.trimEnd());
          else writeFileSync(options.output, yaml, { flag: 'wx' });
        } catch (error) {
          await simulator.close();
          throw error;
        }
        here.result({ endpoints: simulator.endpoints, credentials: simulator.credentials, config: simulator.config });
        here.say();
        here.say('Serving. In another terminal:');
        here.say(
          `  export ${Object.entries(simulator.credentials)
            .map(([name, value]) => `${name}=${value}`)
            .join(' ')}`,
        );
        here.say(`  exhibit run --config ${options.output ?? '<the lines above as exhibit.yaml>'}`);
        here.say('Ctrl-C stops.');
        await new Promise<void>((stop) => {
          process.once('SIGINT', () => stop());
          process.once('SIGTERM', () => stop());
        });
        await simulator.close();
      },
    );
}
