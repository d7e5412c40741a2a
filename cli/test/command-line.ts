import type { PublicChallenge, Submission } from "@crowdai/shared";
import { type BrokerAndFolder, useBrokerAndFolder } from "./broker-and-folder.ts";
import { type Run, type RunOptions, runCli } from "./run-cli.ts";

/** The command line, signed in to the broker. */
export interface CommandLine extends BrokerAndFolder {
  run(args: readonly string[], options?: Partial<RunOptions>): Promise<Run>;
  /** The submissions that the broker received. */
  submissions(): Submission[];
}

export function useCommandLine({
  challenge = {},
  env = {},
}: {
  challenge?: Partial<PublicChallenge>;
  env?: Record<string, string>;
} = {}): CommandLine {
  const own = useBrokerAndFolder(challenge);
  return Object.assign(own, {
    run: (args: readonly string[], options: Partial<RunOptions> = {}) =>
      runCli(args, {
        cwd: own.folder,
        ...options,
        env: { CROWDAI_BROKER: own.broker.url, CROWDAI_API_KEY: own.broker.key, ...env, ...options.env },
      }),
    submissions: () => [...own.broker.kept.values()].map(({ submission }) => submission),
  });
}
