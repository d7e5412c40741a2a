import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError, type Submission } from "@crowdai/shared";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allowedMs } from "../../../test/allowed-ms.ts";
import type { CodeHost } from "../../src/background/code-hosts/code-host.ts";
import { createLocalHost } from "../../src/background/code-hosts/local.ts";
import type { CodeServices } from "../../src/background/code-services.ts";
import { createGit } from "../../src/background/git/git.ts";
import { mirrorRepositories } from "../../src/background/repositories/mirror-repositories.ts";
import { openRepositories } from "../../src/background/repositories/repositories.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { until } from "../support/until.ts";
import { createPlainGit, type PlainGit, submitWithCode } from "./plain-git.ts";

/** An external host that records its calls and fails on demand. */
function recordingHost(name = "a host") {
  const asked: string[] = [];
  const failures: Error[] = [];
  const local = createLocalHost(() => "https://code.example.org");
  const note = (what: string) => async (repository: { participant: string | null }) => {
    const failure = failures.shift();
    if (failure) throw failure;
    asked.push(`${what} ${repository.participant ?? "(challenge)"}`);
  };
  const host: CodeHost = {
    ...local,
    name,
    outside: true,
    ensure: note("ensure"),
    mirror: note("mirror"),
  };
  return { host, asked, failures };
}

describe("repositories mirrored to an external host", () => {
  let broker: TestBroker;
  let git: PlainGit;
  let code: CodeServices;
  let shift: number;
  beforeEach(async () => {
    shift = 0;
    [broker, git] = await Promise.all([startBroker(), createPlainGit()]);
    const context = {
      records: broker.records,
      catalog: { all: () => new Map([["test", { config: { id: "test", title: "A test" } }]]) },
      clock: () => new Date(Date.now() + shift),
      log: pino({ level: "silent" }),
    } as unknown as CodeServices;
    code = {
      ...context,
      host: recordingHost().host,
      kind: "github",
      publicRepositories: { participant: async () => null, challenge: async () => null },
      repositories: await openRepositories({
        folder: join(broker.folder, "other-disk"),
        git: await createGit({ path: process.env.PATH ?? "", atOnce: 2 }),
        records: broker.records,
        maxPacks: 2,
        objects: { get: (key: string) => objects(key) } as never,
      }),
    };
  });
  afterEach(async () => {
    await Promise.all([broker.close(), git.close(), code.repositories.git.close()]);
  });

  async function objects(key: string): Promise<AsyncIterable<Uint8Array>> {
    const { openObjects } = await import("../../src/startup/open-objects.ts");
    const opened = await openObjects({ s3: null, dataFolder: join(broker.folder, "data") }, () => "");
    return opened.objects.get(key);
  }

  async function handIn(text: string): Promise<void> {
    const snapshot = await git.snapshot({ a: text });
    const { code: push, submission } = await submitWithCode(broker, snapshot);
    await git.must(["push", "-q", push!.url, `${snapshot.commit}:${push!.ref}`], { key: broker.key });
    await until(async () => {
      const answer = await broker.fetch(`/api/v1/submissions/${submission.id}`);
      return ((await answer.json()) as Submission).code?.tag;
    });
  }

  it("are mirrored once per change, including the challenge's own", async () => {
    const { host, asked } = recordingHost();
    code.host = host;
    await handIn("1");
    expect(await mirrorRepositories(code)).toBe(2);
    expect(asked.sort()).toEqual(["ensure (challenge)", "ensure ada", "mirror (challenge)", "mirror ada"]);
    expect(await mirrorRepositories(code)).toBe(0);
    await handIn("2");
    await handIn("3");
    expect(await mirrorRepositories(code)).toBe(2);
    // Packs beyond the limit are repacked into one.
    const packs = await readdir(join(broker.folder, "other-disk/test/1.git/objects/pack"));
    expect(packs.filter((name) => name.endsWith(".pack"))).toHaveLength(1);
    // A different host receives everything.
    code.host = recordingHost("another host").host;
    expect(await mirrorRepositories(code)).toBe(2);
  });

  it("belong to the broker that mirrors them for as long as it works, and for a short time after its death", async () => {
    await handIn("1");
    const gate = Promise.withResolvers<void>();
    const pushing = Promise.withResolvers<void>();
    const { host } = recordingHost();
    const slow = async () => {
      pushing.resolve();
      await gate.promise;
    };
    code.host = { ...host, mirror: slow };
    const leaseMs = allowedMs(3000);
    const mirrored = mirrorRepositories(code, leaseMs);
    await pushing.promise;
    const heldUntil = async () =>
      (await broker.records.db.selectFrom("code_repositories").select("next_at").execute())
        .map(({ next_at }) => Date.parse(next_at))
        .sort((a, b) => a - b)
        .at(-1)!;
    const first = await heldUntil();
    expect(first).toBeLessThanOrEqual(Date.now() + leaseMs);
    await until(async () => (await heldUntil()) > first);
    gate.resolve();
    expect(await mirrored).toBe(2);
    const nextAt = await broker.records.db.selectFrom("code_repositories").select("next_at").execute();
    for (const { next_at } of nextAt) expect(Date.parse(next_at)).toBeLessThanOrEqual(Date.now());
  });

  it("are pushed no further once another broker has them, and pushed again by the one or the other", async () => {
    await handIn("1");
    const { db } = broker.records;
    const { host, asked } = recordingHost();
    const lost: unknown[] = [];
    const loses: CodeHost["mirror"] = async (_, __, signal) => {
      // Another broker takes it and mirrors it.
      await db
        .updateTable("code_repositories")
        .set((eb) => ({ next_at: "2000-01-01T00:00:00.000Z", shown: eb.ref("version"), host: "a host" }))
        .execute();
      await new Promise<void>((_, reject) => {
        signal!.addEventListener("abort", () => {
          lost.push(signal!.reason);
          reject(signal!.reason);
        });
      });
    };
    code.host = { ...host, mirror: loses };
    expect(await mirrorRepositories(code, allowedMs(1500))).toBe(0);
    expect(lost.length).toBeGreaterThan(0);
    code.host = host;
    expect(await mirrorRepositories(code)).toBe(lost.length);
    expect(asked.filter((call) => call.startsWith("mirror"))).toHaveLength(lost.length);
  });

  it("are retried with growing pauses, or at the time the host names, and grading does not wait", async () => {
    const { host, asked, failures } = recordingHost();
    code.host = host;
    await handIn("1");
    const down = () => new CrowdaiError("code_host_unreachable", "no answer");
    failures.push(down(), down());
    expect(await mirrorRepositories(code)).toBe(0);
    expect(await mirrorRepositories(code)).toBe(0);
    shift += 5001;
    const asking = (seconds: number) =>
      new CrowdaiError("code_host_unreachable", "later", { details: { retry_after_seconds: seconds } });
    failures.push(asking(3600), asking(3600));
    await mirrorRepositories(code);
    shift += 3_599_000;
    expect(await mirrorRepositories(code)).toBe(0);
    expect(asked).toEqual([]);
    const rows = await broker.records.db.selectFrom("code_repositories").selectAll().execute();
    expect(rows.map(({ tries, problem }) => [tries, problem])).toEqual([
      [2, "code_host_unreachable: later"],
      [2, "code_host_unreachable: later"],
    ]);
    shift += 2000;
    expect(await mirrorRepositories(code)).toBe(2);
    expect(asked).toHaveLength(4);
  });
});
