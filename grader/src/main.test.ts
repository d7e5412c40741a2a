import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { CrowdaiError } from "@crowdai/shared";
import { createFolderStore } from "@crowdai/shared/objects";
import { createEmbeddedQueue } from "@crowdai/shared/queue";
import { jobOf } from "@crowdai/shared/queue/contract";
import { describe, expect, it } from "vitest";
import { main } from "./main.ts";
import { makeChallenge, temporaryFolder } from "./testing/challenge.ts";

function surroundings(args: string[], env: Record<string, string> = {}) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const stop = new AbortController();
  return {
    args,
    env: { PATH: process.env.PATH, LOG_LEVEL: "silent", ...env },
    stdout,
    stderr,
    stop,
    signal: stop.signal,
  };
}

async function run(args: string[], env: Record<string, string> = {}) {
  const around = surroundings(args, env);
  const code = await main(around);
  around.stdout.end();
  around.stderr.end();
  return { code, stdout: await text(around.stdout), stderr: await text(around.stderr) };
}

const RESULT = `#!/bin/sh\necho '{"id":"submission-1","type":"result","score":1}'\n`;

describe("crowdai-grader", () => {
  it("prints its version and help to stdout", async () => {
    expect(await run(["--version"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
    expect(await run(["start", "--help"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("--concurrency"),
    });
  });

  it.each([
    [["begin"]],
    [["start", "--concurrency", "0"]],
    [["start", "--concurrency", "many"]],
    [["start", "--fast"]],
  ])("refuses %j as a mistake of usage", async (args) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/error:/);
  });

  it("refuses boxes of a kind that does not exist, and names those that do", async () => {
    for (const CROWDAI_SANDBOX of ["none", "docker", "oci", "oci:", "oci:/tmp/runc", "Bubblewrap"]) {
      const { code, stdout, stderr } = await run(["start"], { CROWDAI_SANDBOX });
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain(`CROWDAI_SANDBOX=${CROWDAI_SANDBOX} is not a kind of boxes.`);
      expect(stderr).toContain("bubblewrap, oci:runc, oci:runsc");
    }
    // The next complaint is about something else.
    expect((await run(["start"], { CROWDAI_SANDBOX: "oci:runsc" })).stderr).toContain("REDIS_URL");
  });

  it("that is stopped while it starts exits with 0, and closes what it opened", async () => {
    const waiting = surroundings(["start"]);
    const unreachable = async () => {
      setImmediate(() => waiting.stop.abort());
      throw new CrowdaiError("store_unreachable");
    };
    expect(await main({ ...waiting, open: unreachable })).toBe(0);

    const opened = surroundings(["start"]);
    let closed = 0;
    const open = async () => {
      opened.stop.abort();
      return { close: async () => void closed++ } as never;
    };
    expect(await main({ ...opened, open })).toBe(0);
    expect(closed).toBe(1);
    opened.stderr.end();
    expect(await text(opened.stderr)).toBe("");
  });

  it("without REDIS_URL names the variable and the alternative command", async () => {
    const { code, stderr } = await run(["start"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/Set REDIS_URL/);
    expect(stderr).toMatch(/crowdai-broker start --with-grader/);
  });

  it("with an invalid REDIS_URL shows the expected form, without repeating its password", async () => {
    const { code, stderr } = await run(["start"], { REDIS_URL: "mysql://:secret@localhost" });
    expect(code).toBe(2);
    expect(stderr).toContain("redis://host:6379");
    expect(stderr).not.toContain("secret");
  });
});

describe("crowdai-grader start", () => {
  async function started(args: string[]) {
    const objects = await createFolderStore({
      folder: await temporaryFolder(),
      baseUrl: () => "",
      secret: "s",
    });
    const queue = createEmbeddedQueue();
    const around = surroundings(["start", ...args]);
    return {
      queue,
      around,
      running: main({ ...around, open: async () => ({ queue, objects, close: async () => {} }) }),
    };
  }

  it("serves the folder until it is stopped, and shows its queue and store", async () => {
    const folder = await makeChallenge({ command: ["./run"] }, { run: RESULT });
    const { queue, around, running } = await started([
      "--challenges",
      dirname(folder.dir),
      "--concurrency",
      "3",
    ]);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const receiving = queue.receive(async (report) => {
      if (report.type === "finished") resolve(report.outcome);
    }, around.signal);
    await queue.publish(jobOf("submission-1"));
    expect(await promise).toMatchObject({ ok: true, score: 1 });
    around.stop.abort();
    await receiving;
    expect(await running).toBe(0);
    around.stderr.end();
    const said = await text(around.stderr);
    expect(said).toMatch(/serves iris, up to 3 jobs at a time/);
    expect(said).toContain(`Queue: ${queue.name}. Objects:`);
  });

  it("reports all errors in the folder, and ids of --only that do not exist", async () => {
    const folder = await makeChallenge({ command: ["./run"] }, { run: RESULT });
    const challenges = dirname(folder.dir);
    await mkdir(join(challenges, "broken"));
    await writeFile(join(challenges, "broken", "challenge.json"), `{"id":"broken"}`);
    const { around, running } = await started(["--challenges", challenges, "--only", "iris,wine"]);
    expect(await running).toBe(2);
    around.stderr.end();
    const said = await text(around.stderr);
    expect(said).toMatch(/broken/);
    expect(said).toMatch(/--only names wine/);
  });

  it("reports a folder without challenges", async () => {
    const { around, running } = await started(["--challenges", await temporaryFolder()]);
    expect(await running).toBe(2);
    around.stderr.end();
    expect(await text(around.stderr)).toMatch(/No challenge found/);
  });
});
