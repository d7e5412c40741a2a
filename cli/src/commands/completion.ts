import type { Command } from "commander";
import { bashScript } from "../completion/bash.ts";
import { fishScript } from "../completion/fish.ts";
import { powershellScript } from "../completion/powershell.ts";
import { syntaxOf } from "../completion/syntax.ts";
import { zshScript } from "../completion/zsh.ts";
import type { CommandContext } from "./handler.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript, powershell: powershellScript };

/** Prints a self-contained script: completing a word later runs no crowdai process. */
export async function completion(
  { io }: CommandContext,
  args: { shell: keyof typeof SCRIPTS },
  _options: object,
  command: Command,
): Promise<number> {
  io.stdout.write(SCRIPTS[args.shell](syntaxOf(command.parent!)));
  return 0;
}
