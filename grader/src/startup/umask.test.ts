import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openTestSandbox } from "../testing/boxes.ts";
import { temporaryFolder } from "../testing/challenge.ts";
import { makeRunChallenge } from "../testing/run-challenge.ts";

/** As \`UMask=0077\` of systemd sets it, for services whose files are private. */
const CLOSED = 0o077;

const before = process.umask(CLOSED);
const sandbox = await openTestSandbox().finally(() => process.umask(before));
afterAll(() => sandbox?.[Symbol.dispose]());

describe.runIf(sandbox)("with a umask that closes files to other users, whose programs run in boxes", () => {
  it("a grader runs submitted code all the same", async () => {
    const challenge = await makeRunChallenge();
    const project = await temporaryFolder();
    const program =
      'open("/out/predictions.csv", "w").write("2\\n4\\n6\\n" + open("/etc/passwd").read()[:0])';
    await writeFile(join(project, "main.py"), program);
    const bin = join(import.meta.dirname, "../bin.ts");
    const shell = 'umask 077; exec "$@"';
    const result = await new Promise((resolve) =>
      execFile(
        "/bin/sh",
        ["-c", shell, "sh", process.execPath, bin, "try", challenge.dir, project],
        (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }),
      ),
    );
    expect(result).toMatchObject({ code: 0, stdout: "score 0.75\n" });
  });

  it("boxes that were prepared so are not used, and the self-test says why", async () => {
    const { failures } = await sandbox!.selfTest();
    expect(failures).toEqual([expect.stringContaining("umask of 022")]);
  });
});
