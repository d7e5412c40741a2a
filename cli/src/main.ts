import type { Command } from "commander";
import packageJson from "../package.json" with { type: "json" };
import type { Keychain } from "./credentials/keychain.ts";
import type { GlobalOptions } from "./program/common-options.ts";
import { createProgram } from "./program.ts";
import type { Io } from "./terminal/io.ts";
import { watchOutput } from "./terminal/output-failure.ts";
import type { Terminal } from "./terminal/terminal.ts";

export interface MainOptions extends Io {
  /** Replaces the keychain of the operating system. */
  keychain?: Keychain;
}

/** Runs the command line and resolves to its exit code. Never throws and never exits. */
export async function main(argv: readonly string[], { keychain, ...io }: MainOptions): Promise<number> {
  let terminal: Terminal | undefined;
  let chosen: Command | undefined;
  let exitCode = 0;
  const outputFailure = watchOutput(io.stdout);
  const { version } = packageJson;
  const program = createProgram({
    version,
    writeOut: (text) => io.stdout.write(text),
    run: async (load, args, options, command) => {
      chosen = command;
      const { createContext } = await import("./command-context.ts");
      const context = createContext(io, { options: options as GlobalOptions, version, keychain });
      terminal = context.terminal;
      const handler = await load();
      exitCode = await handler(context, args as never, options as never, command);
    },
  });
  try {
    await program.parseAsync(argv.length > 0 ? argv : ["--help"], { from: "user" });
  } catch (thrown) {
    if (!isDone(thrown)) exitCode = await render(thrown);
  } finally {
    terminal?.close();
  }
  const reason = await outputFailure();
  if (reason === null) return exitCode;
  const { outputLost } = await import("./terminal/output-lost.ts");
  const lost = await render(outputLost(reason, terminal?.submission ?? null));
  return exitCode === 0 ? lost : exitCode;

  async function render(thrown: unknown): Promise<number> {
    const { renderFailure } = await import("./render-error.ts");
    return renderFailure(thrown, { io, argv, program, chosen, terminal, version });
  }
}

/** Whether commander ended after --help or --version, for which it throws too. */
function isDone(thrown: unknown): boolean {
  return thrown instanceof Error && "exitCode" in thrown && thrown.exitCode === 0 && "code" in thrown;
}
