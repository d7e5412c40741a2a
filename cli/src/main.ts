import type { Command } from "commander";
import packageJson from "../package.json" with { type: "json" };
import type { Context, GlobalOptions, Io } from "./context.ts";
import { createProgram } from "./program.ts";

/** The command line: arguments in, exit code out. Never throws and never exits. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let context: Context | undefined;
  let chosen: Command | undefined;
  let exitCode = 0;
  const { version } = packageJson;
  const program = createProgram({
    version,
    writeOut: (text) => io.stdout.write(text),
    run: async (load, args, options, command) => {
      chosen = command;
      const { createContext } = await import("./context.ts");
      context = createContext(io, options as GlobalOptions, version);
      const handler = await load();
      exitCode = await handler(context, args as never, options as never);
    },
  });
  try {
    await program.parseAsync(argv.length > 0 ? argv : ["--help"], { from: "user" });
    return exitCode;
  } catch (thrown) {
    if (isDone(thrown)) return 0;
    const { renderFailure } = await import("./render-error.ts");
    return await renderFailure(thrown, { io, argv, program, chosen, terminal: context?.terminal, version });
  } finally {
    context?.terminal.close();
  }
}

/** commander throws after --help and --version too. */
function isDone(thrown: unknown): boolean {
  return thrown instanceof Error && "exitCode" in thrown && thrown.exitCode === 0 && "code" in thrown;
}
