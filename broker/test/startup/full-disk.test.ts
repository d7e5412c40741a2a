import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createSubmissionId } from "@crowdai/shared";
import { io } from "socket.io-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cannotMount, fillDisk, seenFrom, withSmallDisk } from "../support/small-disk.ts";
import { writeChallenge } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

const BROKER = fileURLToPath(new URL("../../dist/bin.js", import.meta.url));

describe.skipIf(cannotMount())("a broker whose disk is full", () => {
  let folder: string;
  let child: ChildProcess;
  let stderr = "";
  let url: string;
  let key: string;
  let data: string;
  let free: () => Promise<void>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-full-disk-"));
    data = join(folder, "data");
    await mkdir(data);
    await writeChallenge(join(folder, "challenges"));
    const start = [process.execPath, BROKER, "start", "--port", "0", "--data", data];
    const [program, ...args] = withSmallDisk({ folder: data, size: "8m" }, start);
    child = spawn(program, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    child.stderr?.on("data", (chunk) => {
      stderr += chunk;
    });
    url = await until(async () => /listening on (\S+)/.exec(stderr)?.[1]);
    const add = [process.execPath, BROKER, "participant", "add", "ada", "--data", data];
    const added = await promisify(execFile)("nsenter", ["-t", String(child.pid), "-m", ...add]);
    key = added.stdout.trim();
    data = seenFrom(child.pid as number, data);
  });
  afterAll(async () => {
    child?.kill("SIGKILL");
    if (child?.exitCode === null) await once(child, "exit");
    await rm(folder, { recursive: true, force: true });
  });

  const ask = (method: string, path: string, body?: unknown) =>
    fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const submit = (input: unknown) =>
    ask("POST", "/api/v1/submissions", { id: createSubmissionId(), challenge: "test", input });
  const large = { kind: "inline", data: { score: 1, padding: "x".repeat(60_000) } };
  const inline = { kind: "inline", data: { score: 1 } };
  const readiness = async () => {
    const response = await ask("GET", "/readyz");
    return { status: response.status, ...((await response.json()) as { checks: Record<string, string> }) };
  };

  it("was ready before", async () => {
    expect(await readiness()).toMatchObject({ status: 200, checks: { storage: "ok" } });
    expect((await submit(inline)).status).toBe(200);
  });

  it("asks clients to try again, over HTTP and sockets, and for uploads", async () => {
    const bytes = Buffer.alloc(200_000, "a");
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const receipt = await (await submit({ kind: "file", name: "a.csv", size: bytes.length, sha256 })).json();
    const address = (receipt as { upload: { parts: { url: string }[] } }).upload.parts[0]!.url;
    free = await fillDisk(data);

    const full = {
      code: "storage_failed",
      fault: "platform",
      retryable: true,
      message: "The broker's disk is full.",
    };
    // SQLite's journal may still have room for a few.
    const refused = await until(async () => {
      const response = await submit(large);
      return response.status === 200 ? null : response;
    });
    expect([refused.status, await refused.json()]).toEqual([503, { error: expect.objectContaining(full) }]);

    const socket = io(url, { transports: ["websocket"], auth: { apiKey: key, challenge: "test" } });
    await new Promise((resolve) => socket.once("session", resolve));
    const answer = await socket.emitWithAck("submit", {
      id: createSubmissionId(),
      challenge: "test",
      input: large,
    });
    socket.disconnect();
    expect(answer).toEqual({ ok: false, error: expect.objectContaining(full) });

    const upload = await fetch(address, { method: "PUT", body: bytes });
    expect([upload.status, await upload.json()]).toEqual([
      503,
      { error: expect.objectContaining({ code: "store_unreachable", retryable: true }) },
    ]);
    expect(stderr).toContain('"event":"storage_failed"');
  });

  it("is not ready, and says why", async () => {
    // A result is used for a moment.
    const red = await until(async () => {
      const found = await readiness();
      return found.checks.storage !== "ok" && found;
    });
    expect(red).toMatchObject({
      status: 503,
      checks: { storage: "the disk of the data folder is full (ENOSPC)" },
    });
  });

  it("recovers by itself when there is space again", async () => {
    await free();
    await until(async () => (await readiness()).status === 200);
    expect((await submit(inline)).status).toBe(200);
    expect(stderr).not.toContain("unexpected");
  });
});
