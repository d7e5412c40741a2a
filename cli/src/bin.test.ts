import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import net from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createApiKey } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startContractBroker } from "../test/contract-broker.ts";
import { publicChallenge } from "../test/public-challenge.ts";
import { runCli, temporaryFolder } from "../test/run-cli.ts";
import { startScriptedBroker } from "../test/scripted-broker.ts";

const BUILT = fileURLToPath(new URL("../bin/crowdai.js", import.meta.url));
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const environment = (broker: string) => ({
  PATH: process.env.PATH,
  HOME: folder.path,
  CROWDAI_CONFIG_DIR: folder.path,
  CROWDAI_API_KEY: createApiKey(),
  CROWDAI_BROKER: broker,
});
const start = (args: string[], broker: string): ChildProcess =>
  spawn(process.execPath, [BUILT, ...args], { cwd: folder.path, env: environment(broker), stdio: "pipe" });

async function ended(child: ChildProcess): Promise<{ code: number | null; stderr: string }> {
  let stderr = "";
  child.stderr!.on("data", (part) => {
    stderr += part;
  });
  const [code] = await once(child, "close");
  return { code, stderr };
}

/** A broker that accepts connections and never responds. */
async function silentBroker() {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => void sockets.add(socket.on("error", () => {})));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    connected: once(server, "connection"),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test.each([[], ["--help"], ["submit", "-h"], ["help"], ["--version"], ["doctor", "--version"], ["nonsense"]])(
  "the built command prints the same as the source for %s",
  async (...args) => {
    const expected = await runCli(args, { cwd: folder.path });
    const { code, stdout, stderr } = await promisify(execFile)(process.execPath, [BUILT, ...args], {
      env: environment("http://127.0.0.1:1"),
    }).then(
      (done) => ({ ...done, code: 0 }),
      (failed) => failed as { code: number; stdout: string; stderr: string },
    );
    expect({ code, stdout, stderr }).toEqual(expected);
  },
);

test("does not fail when the reader closes the pipe, as head does", async () => {
  const challenges = Array.from({ length: 3_000 }, (_, i) => publicChallenge({ id: `c${i}` }));
  await using broker = await startScriptedBroker({ "/api/v1/challenges": { json: { challenges } } });
  const child = start(["challenges", "--format", "ndjson"], broker.url);
  child.stdout!.once("data", () => child.stdout!.destroy());
  const { stderr } = await ended(child);
  expect(stderr).not.toMatch(/EPIPE|Error|error/);
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s ends a command with exit code 130 and a message",
  async (signal) => {
    await using broker = await silentBroker();
    const child = start(["challenges"], broker.url);
    const end = ended(child);
    await broker.connected;
    child.kill(signal);
    const { code, stderr } = await end;
    expect(code).toBe(130);
    expect(stderr).toContain("error[interrupted]");
  },
);

// Under Bun, a parent reads what its child writes although no one asks for it, and the command ends by
// itself.
test.skipIf(process.versions.bun)(
  "18: a second Ctrl-C ends a command at once that the first one could not end",
  async () => {
    const challenges = Array.from({ length: 2_000 }, (_, i) => publicChallenge({ id: `c${i}` }));
    await using broker = await startScriptedBroker({ "/api/v1/challenges": { json: { challenges } } });
    const child = start(["challenges", "--format", "json"], broker.url);
    const pause = () => new Promise((resolve) => setTimeout(resolve, 300));
    const end = ended(child);
    // No one reads its output, which it waits to write.
    await once(child.stdout!, "readable");
    await pause();
    child.kill("SIGINT");
    await pause();
    expect(child.exitCode).toBe(null);
    const exited = once(child, "exit");
    child.kill("SIGINT");
    expect(await exited).toEqual([130, null]);
    child.stdout!.resume();
    expect((await end).stderr).toContain("Stopped without cleaning up.");
  },
);

test("writes all of its output, even a large one to a slow reader", async () => {
  const challenges = Array.from({ length: 2_000 }, (_, i) => publicChallenge({ id: `c${i}` }));
  await using broker = await startScriptedBroker({ "/api/v1/challenges": { json: { challenges } } });
  const child = start(["challenges", "--format", "json"], broker.url);
  const end = ended(child);
  let text = "";
  for await (const part of child.stdout!) {
    text += part;
    if (text.length < 300_000) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect((await end).code).toBe(0);
  expect(JSON.parse(text).challenges).toHaveLength(2_000);
});

describe.skipIf(!existsSync("/dev/full"))(
  "when standard output cannot be written, as on a full disk,",
  () => {
    const onFull = async (args: string[], { url, key }: { url: string; key: string }, cwd = folder.path) => {
      const full = openSync("/dev/full", "w");
      try {
        const env = { ...environment(url), CROWDAI_API_KEY: key };
        return await ended(
          spawn(process.execPath, [BUILT, ...args], { cwd, env, stdio: ["ignore", full, "pipe"] }),
        );
      } finally {
        closeSync(full);
      }
    };

    test.each([
      ["--help"],
      ["help", "exit-codes"],
      ["--version"],
      ["completion", "bash"],
      ["config", "--format", "json"],
      ["help", "submit"],
    ])("`%s` prints a single error without a stack trace", async (...args) => {
      const { code, stderr } = await onFull(args, { url: "http://127.0.0.1:1", key: createApiKey() });
      expect(code).toBe(2);
      expect(stderr).toContain("error[file_unwritable]: Standard output cannot be written (ENOSPC).");
      expect(stderr.match(/error\[/g)).toHaveLength(1);
      expect(stderr).not.toMatch(/ {2}at |throw|bug/);
    });

    test.each([
      [[]],
      [["--quiet"]],
      [["--format", "json"]],
      [["--format", "ndjson"]],
      [["--no-wait", "--quiet"]],
    ])("`submit %s` names the submission on standard error", async (flags) => {
      const broker = await startContractBroker();
      try {
        const args = ["submit", "--json", "[1]", "-c", "iris", ...flags];
        const { code, stderr } = await onFull(args, broker);
        const [id] = broker.kept.keys();
        expect(code).toBe(2);
        expect(stderr).toContain(`Standard output cannot be written (ENOSPC). The submission is ${id}.`);
        expect(stderr).not.toMatch(/ {2}at |throw|bug/);
      } finally {
        await broker.close();
      }
    });
  },
);
