import { CrowdaiError, type PublicChallenge } from "@crowdai/shared";
import type { ModelFile } from "../../submit/models.ts";
import type { Io } from "../../terminal/io.ts";
import { type Spooled, spool } from "./spool.ts";

/**
 * Returns the files that --model names; `-` is standard input, spooled to a file until it is disposed of and
 * named `model`. Throws usage if standard input is asked for twice.
 */
export async function modelFiles(
  named: readonly string[],
  { accepts }: PublicChallenge,
  { stdin, signal }: Pick<Io, "stdin" | "signal">,
  isInputTaken: boolean,
): Promise<AsyncDisposable & { files: ModelFile[] }> {
  if (named.filter((name) => name === "-").length + Number(isInputTaken) > 1 && named.includes("-"))
    throw new CrowdaiError("usage", "Standard input can be read only once.");
  let spooled: Spooled | undefined;
  const files: ModelFile[] = [];
  for (const file of named) {
    if (file === "-" && accepts.model)
      spooled = await spool(stdin, { name: "model", maxBytes: accepts.model.max_bytes, signal });
    files.push(file === "-" ? { file: String(spooled?.facts.path ?? file), name: "model" } : { file });
  }
  return { files, [Symbol.asyncDispose]: async () => spooled?.[Symbol.asyncDispose]() };
}
