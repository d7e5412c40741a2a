import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createApiKey } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import { failure, useLibrary } from "../../test/library.ts";
import { Challenge } from "../index.ts";

const library = useLibrary();
const { open } = library;

describe("opening", () => {
  it("provides the challenge and the account", async () => {
    const challenge = await open();
    expect(challenge.info.score.title).toBe("Accuracy");
    expect(challenge.participant).toEqual({ id: 1, name: "ada" });
  });

  it("reports a mistyped key without asking the broker", async () => {
    const error = await failure(open({ apiKey: `${library.broker.key.slice(0, -1)}_` }));
    expect(error).toMatchObject({ code: "key_malformed", exitCode: 3 });
    expect(error.message).not.toContain(library.broker.key.slice(10, 40));
    expect(library.broker.received).toEqual([]);
  });

  it("reports an unknown key, and an unknown challenge with a suggestion", async () => {
    expect((await failure(open({ apiKey: createApiKey() }))).code).toBe("key_unknown");
    const error = await failure(
      Challenge.open("irsi", { apiKey: library.broker.key, broker: library.broker.url }),
    );
    expect(error).toMatchObject({ code: "challenge_unknown", details: { suggestion: "iris" } });
  });

  it("closes at the end of its scope, and calls that are still waiting end", async () => {
    library.broker.grader = null;
    let waiting: Promise<unknown>;
    {
      await using challenge = await Challenge.open("iris", {
        apiKey: library.broker.key,
        broker: library.broker.url,
      });
      const accepted = await challenge.submit([1], { wait: false });
      waiting = failure(challenge.wait(accepted.id));
    }
    expect(await waiting).toMatchObject({ code: "interrupted", details: { accepted: true } });
  });

  it.each(["socket", "http"] as const)(
    "over %s, does not present a history as complete when closing cut it short",
    async (transport) => {
      library.broker.grader = null;
      const challenge = await open({ transport });
      const { id } = await challenge.submit([1], { wait: false });
      const types: string[] = [];
      const watching = (async () => {
        for await (const event of challenge.watch(id)) {
          types.push(event.type);
          if (event.type === "submitted") await challenge.close();
        }
      })();
      expect(await failure(watching)).toMatchObject({ code: "interrupted" });
      expect(types).toEqual(["initiated", "submitted"]);
    },
  );
});

describe("the module", () => {
  const run = async (script: string, env: Record<string, string> = {}) => {
    const file = join(library.folder, "script.mjs");
    await writeFile(
      file,
      script.replaceAll("LIBRARY", JSON.stringify(new URL("../index.ts", import.meta.url).href)),
    );
    const child = spawn(process.execPath, [file], {
      cwd: library.folder,
      env: { PATH: process.env.PATH, HOME: library.folder, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        out += chunk;
      });
    const [code] = await once(child, "close");
    return { out, code };
  };

  it("does nothing when it is imported", async () => {
    const script = `
      const before = JSON.stringify(process.eventNames());
      await import(LIBRARY);
      if (JSON.stringify(process.eventNames()) !== before) console.log("listens on process");`;
    expect(await run(script, { CROWDAI_BROKER: "nonsense", CROWDAI_CONFIG_DIR: "/dev/null/x" })).toEqual({
      out: "",
      code: 0,
    });
  });

  it("reads broker and key from the environment, and lets the program end once it is closed", async () => {
    const script = `
      const { Challenge } = await import(LIBRARY);
      const challenge = await Challenge.open("iris");
      console.log((await challenge.submit([1])).score);
      await challenge.close();`;
    const env = { CROWDAI_BROKER: library.broker.url, CROWDAI_API_KEY: library.broker.key };
    expect(await run(script, env)).toEqual({ out: "0.9\n", code: 0 });
  });
});

it("continues to watch a submission made elsewhere", async () => {
  const there = await open();
  const { id } = await there.submit([1]);
  const here = await open();
  const seqs = async (after?: number) => {
    const seen: number[] = [];
    for await (const event of here.watch(id, { after })) seen.push(event.seq);
    return seen;
  };
  expect(await seqs()).toEqual([1, 2, 3, 4, 5]);
  expect(await seqs(3)).toEqual([4, 5]);
  for await (const event of here.watch(id)) {
    expect(event.seq).toBe(1);
    break;
  }
});

it("reads limits, leaderboard and submissions", async () => {
  const challenge = await open();
  await challenge.submit([1]);
  expect((await challenge.limits({ round: 1 })).remaining).toBe(4);
  expect((await challenge.leaderboard({ limit: 1 })).total).toBe(17);
  expect(await challenge.submissions()).toHaveLength(1);
});
