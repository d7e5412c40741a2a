import { asCrowdaiError, CrowdaiError } from "@crowdai/shared";
import { fileSystemError } from "@crowdai/shared/file-system-error";
import { CommanderError } from "commander";
import type { Io } from "./commands/io.ts";
import { createProgram } from "./commands/program.ts";

/** Runs the command line and resolves with the exit code. */
export async function main(args: string[], io: Io): Promise<number> {
  try {
    await createProgram(io).parseAsync(args, { from: "user" });
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    const error =
      thrown instanceof CrowdaiError ? thrown : (fileSystemError(thrown) ?? asCrowdaiError(thrown));
    io.stderr.write(`error[${error.code}]: ${error.message}\n`);
    if (error.code === "unexpected") io.stderr.write(`${(error.cause as Error)?.stack ?? error.cause}\n`);
    else io.stderr.write(`  ${error.next}\n`);
    return error.exitCode;
  }
}
