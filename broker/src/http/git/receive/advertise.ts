import type { Git } from "../../../background/git/git.ts";
import { FLUSH, packetLine } from "../../../background/git/pkt-line.ts";

/** Number of snapshots that the broker advertises, so that clients push only new objects. */
const MAX_REFS = 100;
const NOTHING = "0".repeat(40);
/** Supported capabilities: no deletes, no options, no certificates. */
const CAPABILITIES = "report-status side-band-64k ofs-delta object-format=sha1 agent=crowdai";

/**
 * Returns the refs that the broker advertises before a push: the latest snapshots, which the client has too.
 */
export async function advertiseForPush(git: Git, dir: string): Promise<Buffer> {
  const listed = await git.must(
    [
      "for-each-ref",
      `--count=${MAX_REFS}`,
      "--sort=-committerdate",
      "--format=%(objectname) %(refname)",
      "refs/incoming",
    ],
    { dir },
  );
  const refs = listed.toString("utf8").split("\n").filter(Boolean);
  const [first = `${NOTHING} capabilities^{}`, ...more] = refs;
  return Buffer.concat([
    packetLine("# service=git-receive-pack\n"),
    FLUSH,
    packetLine(`${first}\0${CAPABILITIES}\n`),
    ...more.map((ref) => packetLine(`${ref}\n`)),
    FLUSH,
  ]);
}
