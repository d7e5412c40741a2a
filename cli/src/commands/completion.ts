import type { Command } from "commander";
import { bashScript } from "../completion/bash.ts";
import { fishScript } from "../completion/fish.ts";
import { powershellScript } from "../completion/powershell.ts";
import { syntaxOf } from "../completion/syntax.ts";
import { zshScript } from "../completion/zsh.ts";
import type { CommandContext } from "./handler.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript, powershell: powershellScript };

/** Prints a script that runs a crowdai process for ids alone: `crowdai __complete`, see complete-ids.ts. */
export async function completion(
  { io }: CommandContext,
  args: { shell: keyof typeof SCRIPTS },
  _options: object,
  command: Command,
): Promise<number> {
  io.stdout.write(SCRIPTS[args.shell](syntaxOf(command.parent!)));
  return 0;
}
