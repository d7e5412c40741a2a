import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBroker, type TestBroker } from "../../broker/test/support/test-broker.ts";
import { runCli } from "../../cli/test/run-cli.ts";
import { root } from "../../scripts/lib/root.ts";
import { withoutBrokerSettings } from "../../scripts/lib/running-broker.ts";
import { type AnsweringProxy, startAnsweringProxy } from "../network/answering-proxy.ts";

/**
 * The requests that change something at the broker, in the order in which a sync sends them; the value has no
 * bytes to upload.
 */
const STEPS = [
  ["registers the file", /^POST .*\/submissions$/],
  ["uploads its bytes", /^PUT /],
  ["has it accepted", /^POST .*\/complete$/],
  ["submits the value, in mid-list", /^POST .*\/submissions$/],
] as const;

describe("a sync that is killed", { timeout: 120_000 }, () => {
  let test: TestBroker;
  let proxy: AnsweringProxy;
  let folder: string;
  beforeAll(async () => {
    test = await startBroker({ challenges: [{ rounds: [{ id: "1", limit: { count: 9, per: "day" } }] }] });
    proxy = await startAnsweringProxy();
    folder = await mkdtemp(join(tmpdir(), "crowdai-killed-sync-"));
  });
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]();
    await test?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const env = () => ({
    HOME: folder,
    CROWDAI_CONFIG_DIR: join(folder, ".config"),
    CROWDAI_BROKER: test.broker.url,
    CROWDAI_API_KEY: test.key,
    CROWDAI_CHALLENGE: "test",
    HTTP_PROXY: proxy.url,
  });
  const run = (...args: string[]) => runCli(args, { cwd: folder, env: env() });

  it("at any request, before or after its answer, leaves each submission to be made once", async () => {
    await writeFile(
      join(folder, "p.csv"),
      ` ${"0".repeat(70_000)}0.5${randomBytes(8).toString("hex").replace(/\D/g, "")}`,
    );
    const ids = [
      (await run("submit", "p.csv", "--spool")).stdout.trim(),
      (await run("submit", "--json", '{"score":0.75}', "--spool")).stdout.trim(),
    ];
    for (const [name, pattern] of STEPS)
      for (const when of ["request", "answer"] as const)
        expect([name, when, await killAt(when, pattern)]).toEqual([name, when, "SIGKILL"]);

    proxy.on = null;
    const { code, stdout } = await run("sync", "--format", "json");
    expect(code).toBe(0);
    // The file was noted as sent before the value was submitted.
    expect(JSON.parse(stdout).results).toMatchObject([{ id: ids[1], outcome: "already_accepted" }]);
    const made = await test.records.db.selectFrom("submissions").selectAll().orderBy("number").execute();
    expect(made.map(({ id }) => id)).toEqual(ids);
    const { limits } = JSON.parse((await run("limits", "--format", "json")).stdout);
    expect(limits.used).toBe(2);
    expect((await readdir(join(folder, "crowdai-spool/sent"))).sort()).toEqual(
      ids.map((id, index) => `00000${index + 1}-${id}.json`),
    );
    expect(JSON.parse((await run("sync", "--format", "json")).stdout).results).toEqual([]);
  });

  /** Runs a sync that is killed at a request of a kind. Returns the signal that ended it. */
  async function killAt(when: "request" | "answer", pattern: RegExp): Promise<NodeJS.Signals | null> {
    let child: ChildProcess;
    proxy.on = (now, what) => {
      if (now !== when || !pattern.test(what)) return undefined;
      child.kill("SIGKILL");
      return once(child, "exit").then(() => {});
    };
    child = spawn(process.execPath, [join(root, "cli/bin/crowdai.js"), "sync"], {
      cwd: folder,
      stdio: "ignore",
      env: { ...withoutBrokerSettings(), ...env() },
    });
    const [, signal] = await once(child, "exit");
    return signal;
  }
});
