import { bashScript } from "../completion/bash.ts";
import { fishScript } from "../completion/fish.ts";
import { powershellScript } from "../completion/powershell.ts";
import { syntaxOf } from "../completion/syntax.ts";
import { zshScript } from "../completion/zsh.ts";
import type { Context } from "../context.ts";
import { createProgram } from "../program.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript, powershell: powershellScript };

/** Prints a script that holds all it needs: completing a word later starts no process of ours. */
export async function completion(context: Context, args: { shell: keyof typeof SCRIPTS }): Promise<number> {
  const program = createProgram({
    version: context.version,
    writeOut: () => {},
    run: async () => {},
  });
  context.stdout.write(SCRIPTS[args.shell](syntaxOf(program)));
  return 0;
}
