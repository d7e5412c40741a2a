import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createSubmissionId } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { writeChallenge } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

const BROKER = fileURLToPath(new URL("../../dist/bin.js", import.meta.url));

describe.skipIf(missing("strace"))("a broker whose disk does not write what it was given", () => {
  let folder: string;
  let child: ChildProcess | undefined;
  let stderr: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-failing-disk-"));
    await writeChallenge(join(folder, "challenges"));
  });
  afterEach(async () => {
    child?.kill("SIGKILL");
    if (child?.exitCode === null) await once(child, "exit");
    await rm(folder, { recursive: true, force: true });
  });

  async function start(): Promise<string> {
    stderr = "";
    const args = [BROKER, "start", "--port", "0", "--with-grader"];
    child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    child.stderr?.on("data", (chunk) => {
      stderr += chunk;
    });
    return until(async () => /listening on (\S+)/.exec(stderr)?.[1]);
  }
  async function addParticipant(): Promise<string> {
    const added = await promisify(execFile)(process.execPath, [BROKER, "participant", "add", "ada"], {
      cwd: folder,
    });
    return added.stdout.trim();
  }
  /** Lets the system report an error for each write of SQLite's log to the disk, until the broker ends. */
  async function breakDisk(): Promise<void> {
    const log = join(folder, "crowdai-data/records.sqlite-wal");
    const args = ["-f", "-p", String(child!.pid), "-P", log, "-e", "inject=fdatasync:error=EIO"];
    const strace = spawn("strace", args, { stdio: ["ignore", "ignore", "pipe"] });
    let attached = "";
    strace.stderr.on("data", (chunk) => {
      attached += chunk;
    });
    await until(async () => attached.includes("attached"));
  }

  it("acknowledges nothing, ends with the reason, and goes on when it is started again", async () => {
    const url = await start();
    const key = await addParticipant();
    const submit = (url: string, id: string) =>
      fetch(`${url}/api/v1/submissions`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({ id, challenge: "test", input: { kind: "inline", data: { score: 1 } } }),
      });
    const graded = (url: string, id: string) =>
      until(async () => {
        const shown = await fetch(`${url}/api/v1/submissions/${id}`, {
          headers: { authorization: `Bearer ${key}` },
        });
        return ((await shown.json()) as { state: string }).state === "graded";
      });
    const [before, after] = [createSubmissionId(), createSubmissionId()];
    expect((await submit(url, before)).status).toBe(200);
    await graded(url, before);

    await breakDisk();
    const exited = once(child!, "exit");
    const refused = await submit(url, after).catch(() => null);
    expect(refused?.status ?? 503).toBe(503);
    expect(await exited).toEqual([2, null]);
    expect(stderr).toMatch(
      /error\[data_unusable\]: \S+records\.sqlite could not be written to the disk: .*EIO/,
    );

    const again = await start();
    for (const id of [before, after]) {
      expect((await submit(again, id)).status).toBe(200);
      await graded(again, id);
    }
  });
});
