import { type ParseArgsConfig, parseArgs } from "node:util";

/**
 * Parses the options of a script. Ends the process with the help: with exit code 0 on `--help`, and with 2
 * and the reason where there is no such option.
 */
export function readOptions<const T extends ParseArgsConfig>(
  help: string,
  config: T,
): ReturnType<typeof parseArgs<T>> {
  if (process.argv.slice(2).some((argument) => argument === "--help" || argument === "-h")) {
    console.log(help);
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exit(2);
  }
}
