import { objectName } from "../../../background/repositories/final-commit.ts";
import { codeUnfit, type Quarantine } from "./index-pack.ts";

const MAX_TEXT_BYTES = 64 * 1024;

/**
 * Returns the text of the announced commit. Throws code_unfit unless it is a commit of the announced tree
 * without parents.
 */
export async function checkCommit(
  { git, dir, objects }: Quarantine,
  announced: { commit: string; tree: string },
): Promise<string> {
  const ended = await git.run(["cat-file", "commit", announced.commit], {
    dir,
    objects,
    output: MAX_TEXT_BYTES,
    cpuSeconds: 1,
  });
  if (ended.ended === "output") throw codeUnfit(`the commit's text has more than ${MAX_TEXT_BYTES} bytes`);
  if (ended.code !== 0) throw codeUnfit("the announced commit is not in the pack");
  const text = ended.stdout.toString("utf8");
  if (!ended.stdout.equals(Buffer.from(text)) || text.includes("\0"))
    throw codeUnfit("the commit's text is not UTF-8");
  if (objectName("commit", text) !== announced.commit)
    throw codeUnfit("the announced object is not a commit");
  const head = text.slice(0, Math.max(0, text.indexOf("\n\n"))).split("\n");
  if (head[0] !== `tree ${announced.tree}`) throw codeUnfit("the commit has a different tree than announced");
  if (head.some((line) => line.startsWith("parent ")))
    throw codeUnfit("a snapshot must not have parent commits");
  return text;
}
