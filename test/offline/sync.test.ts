import { cp, mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Submission } from "@crowdai/shared";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startBroker, type TestBroker } from "../../broker/test/support/test-broker.ts";
import { until } from "../../broker/test/support/until.ts";
import { Challenge } from "../../cli/src/index.ts";
import { makeProject, type Project } from "../../cli/test/project.ts";
import { runCli } from "../../cli/test/run-cli.ts";
import { missing } from "../required-programs.ts";

interface Synced {
  results: {
    id: string;
    entry: string;
    outcome: string;
    submission: Submission | null;
    error: { code: string; message: string; next: string } | null;
  }[];
}

describe("submissions that are sealed without a network", { timeout: 60_000 }, () => {
  let test: TestBroker;
  let project: Project;
  beforeAll(async () => {
    test = await startBroker({
      challenges: [{ code: { capture: "optional" }, rounds: [{ id: "1" }] }, { id: "other" }],
    });
  });
  afterAll(() => test?.close());
  beforeEach(() => {
    project = makeProject();
    project.write("predictions.csv", "0.5");
  });
  afterEach(async () => {
    vi.useRealTimers();
    await project[Symbol.asyncDispose]();
  });

  const run = (args: string[], options: { stdin?: string; env?: Record<string, string | undefined> } = {}) =>
    runCli(args, {
      cwd: project.folder,
      stdin: options.stdin,
      env: {
        ...project.env,
        CROWDAI_BROKER: test.broker.url,
        CROWDAI_CHALLENGE: "test",
        CROWDAI_API_KEY: test.key,
        ...options.env,
      },
    });
  /** Seals where neither a broker nor a key is known. */
  const seal = async (...args: string[]) => {
    const env = { CROWDAI_API_KEY: undefined, CROWDAI_BROKER: "http://127.0.0.1:9" };
    const done = await run(["submit", ...args, "--spool"], { env });
    expect(done).toMatchObject({ code: 0 });
    return done.stdout.trim();
  };
  const sync = async (...args: string[]) => {
    const { code, stdout } = await run(["sync", "--any-broker", "--format", "json", ...args]);
    return { code, ...(JSON.parse(stdout) as Synced) };
  };
  const spool = (...parts: string[]) => join(project.folder, "crowdai-spool", ...parts);
  const entries = async () => (await readdir(spool())).filter((name) => /^\d/.test(name)).sort();
  const show = async (id: string) =>
    (await (await test.fetch(`/api/v1/submissions/${id}`)).json()) as Submission;
  const count = async () =>
    (await test.records.db.selectFrom("submissions").select("id").orderBy("number").execute()).map(
      ({ id }) => id,
    );

  it.skipIf(missing("git"))(
    "are sent once, in their order, with code, models and the sealed time",
    async () => {
      project.write("train.py", "print(1)\n");
      project.write("model.bin", "weights");
      const ids = [
        await seal("predictions.csv", "-m", "first", "--code", ".", "--model", "model.bin"),
        await seal("--json", '{"score": 0.75}'),
        (await run(["submit", "-", "--spool"], { stdin: "0.25" })).stdout.trim(),
      ];
      expect(await entries()).toEqual(ids.map((id, index) => `00000${index + 1}-${id}`));
      const texts = await Promise.all(
        (await readdir(spool(), { recursive: true, withFileTypes: true }))
          .filter((file) => file.isFile())
          .map((file) => readFile(join(file.parentPath, file.name), "latin1")),
      );
      expect(texts.join()).not.toContain(test.key);

      expect((await sync("--dry-run")).results.map(({ outcome }) => outcome)).toEqual([
        "ready",
        "ready",
        "ready",
      ]);
      expect(await count()).toEqual([]);
      const done = await sync();
      expect(done).toMatchObject({ code: 0 });
      expect(done.results.map(({ id, outcome }) => [id, outcome])).toEqual(ids.map((id) => [id, "accepted"]));
      expect(await count()).toEqual(ids);
      await until(async () => (await Promise.all(ids.map(show))).every(({ state }) => state === "graded"));
      const [first, second, third] = await Promise.all(ids.map(show));
      expect(first).toMatchObject({ message: "first", score: 0.5, code: { state: "stored", files: 3 } });
      expect(first!.artifacts).toMatchObject([{ name: "model.bin", kind: "model" }]);
      expect(Date.parse(first!.sealed_at!)).toBeLessThan(Date.parse(first!.created_at));
      expect([second!.score, third!.score, third!.input?.name]).toEqual([0.75, 0.25, "stdin"]);

      expect(await entries()).toEqual([]);
      expect((await readdir(spool("sent"))).sort()).toEqual(ids.map((id, i) => `00000${i + 1}-${id}.json`));
      expect(await sync()).toMatchObject({ code: 0, results: [] });
      expect(await seal("predictions.csv").then(entries)).toEqual([expect.stringMatching(/^000004-/)]);
    },
  );

  it("are made once by two machines that send copies at the same time", async () => {
    const ids = [await seal("predictions.csv"), await seal("--json", '{"score": 1}')];
    await cp(spool(), join(project.folder, "copy"), { recursive: true });
    const before = (await count()).length;
    const both = await Promise.all([sync(), sync("copy")]);
    for (const { code, results } of both) {
      expect(code).toBe(0);
      expect(results.map(({ submission }) => submission?.id)).toEqual(ids);
    }
    expect((await count()).slice(before)).toEqual(ids);
  });

  it("that the broker refuses stay, and the others are sent", async () => {
    const unknown = await seal("predictions.csv", "-c", "nowhere");
    const late = await seal("predictions.csv", "--round", "9");
    const good = await seal("predictions.csv", "-c", "other");
    const { code, results } = await sync();
    expect(results.map(({ id, outcome, error }) => [id, outcome, error?.code])).toEqual([
      [unknown, "refused", "challenge_unknown"],
      [late, "refused", "round_unknown"],
      [good, "accepted", undefined],
    ]);
    expect(code).toBe(2);
    expect(await entries()).toEqual([`000001-${unknown}`, `000002-${late}`]);
    const text = await run(["sync", "--any-broker"]);
    expect(text.stdout).toMatch(new RegExp(`^${unknown}\tnowhere\t.*\trefused\t\n${late}\ttest\t`));
    expect(text.stderr).toContain('There is no challenge "nowhere"');
  });

  it("that were edited are refused by name, and the others are sent", async () => {
    const edits: [string, string, (entry: string, manifest: string) => Promise<unknown>][] = [
      ["bytes", "the content of input was changed", (entry) => writeFile(join(entry, "input"), "0.9")],
      ["a cut file", "input has 1 bytes instead of 3", (entry) => truncate(join(entry, "input"), 1)],
      ["an added file", '"more" was added', (entry) => writeFile(join(entry, "more"), "x")],
      ["a removed file", "input is missing", (entry) => rm(join(entry, "input"))],
      [
        "a link",
        "input is a symbolic link",
        async (entry) => {
          await rm(join(entry, "input"));
          await symlink("/etc/hostname", join(entry, "input"));
        },
      ],
      [
        "the manifest",
        "the content of manifest.json was changed",
        (entry, text) => writeFile(join(entry, "manifest.json"), text.replace('"test"', '"other"')),
      ],
      [
        "a path",
        "manifest.json is invalid at input.file",
        (entry, text) =>
          writeFile(join(entry, "manifest.json"), text.replace('"input",', '"../../predictions.csv",')),
      ],
      [
        "no JSON",
        "manifest.json is not JSON",
        (entry, text) => writeFile(join(entry, "manifest.json"), text.slice(0, 40)),
      ],
      ["its name", "its manifest is of submission", (entry) => rename(entry, `${entry}x`)],
    ];
    for (const _ of edits) await seal("predictions.csv");
    const good = await seal("predictions.csv");
    const names = await entries();
    for (const [index, [, , edit]] of edits.entries()) {
      const entry = spool(names[index]!);
      await edit(entry, await readFile(join(entry, "manifest.json"), "utf8"));
    }
    const before = (await count()).length;
    const { code, results } = await sync();
    expect(code).toBe(4);
    for (const [index, [, problem]] of edits.entries())
      expect(results[index]).toMatchObject({
        outcome: "refused",
        error: { code: "spool_damaged", message: expect.stringContaining(problem) },
      });
    expect((await count()).slice(before)).toEqual([good]);
    expect(await entries()).toHaveLength(edits.length);
  });

  it("in a later format name the client that reads them", async () => {
    await seal("predictions.csv");
    const manifest = spool((await entries())[0]!, "manifest.json");
    const text = (await readFile(manifest, "utf8")).replace('"crowdai_spool": 1', '"crowdai_spool": 2');
    await writeFile(manifest, text.replace(/"client": "[^"]+"/, '"client": "crowdai/9.1.0 node/99"'));
    const { code, results } = await sync();
    expect(code).toBe(2);
    expect(results[0]?.error).toMatchObject({
      code: "spool_version",
      next: "It was sealed by crowdai 9.1.0: sync it with that version or a newer one.",
    });
  });

  it("go only to the broker that they were sealed for, unless told otherwise", async () => {
    const id = await seal("predictions.csv");
    const done = await run(["sync"]);
    expect(done.code).toBe(2);
    expect(done.stderr).toContain("was sealed for http://127.0.0.1:9, and the broker here is");
    expect((await sync()).results).toMatchObject([{ id, outcome: "accepted" }]);
  });

  it("whose upload was given up are sent under the next id, and those that were cancelled are not", async () => {
    const id = await seal("predictions.csv", "-c", "other");
    await cp(spool(), join(project.folder, "copy"), { recursive: true });
    await sync();
    const end = (values: { state: "failed" | "cancelled"; error_code: "upload_abandoned" | null }) =>
      test.records.db
        .updateTable("submissions")
        .set({ ...values, accepted_at: null })
        .where("id", "=", id)
        .execute();
    await until(async () => (await show(id)).state === "graded");
    await end({ state: "cancelled", error_code: null });
    expect((await sync("copy")).results).toMatchObject([
      { outcome: "refused", error: { code: "cancelled" } },
    ]);
    await end({ state: "failed", error_code: "upload_abandoned" });
    expect((await sync("copy")).results).toMatchObject([{ id: `${id}-2`, outcome: "accepted" }]);
  });

  it("wait for a broken connection, and are sent by the next sync", async () => {
    const ids = [await seal("predictions.csv"), await seal("predictions.csv")];
    const away = await run(["sync", "--format", "json"], { env: { CROWDAI_BROKER: "http://127.0.0.1:9" } });
    expect(away.code).toBe(5);
    expect((JSON.parse(away.stdout) as Synced).results.map(({ id, outcome }) => [id, outcome])).toEqual(
      ids.map((id) => [id, "not_sent"]),
    );
    expect((await sync()).results.map(({ outcome }) => outcome)).toEqual(["accepted", "accepted"]);
  });

  it("by a clock that is a year off are shown with it, and arrive when they arrive", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 366 * 24 * 3600 * 1000 });
    const id = await seal("predictions.csv");
    vi.useRealTimers();
    await sync();
    const { sealed_at, created_at } = await show(id);
    expect(Date.parse(sealed_at!) - Date.parse(created_at)).toBeGreaterThan(365 * 24 * 3600 * 1000);
    expect((await run(["show", id])).stdout).toMatch(/Sealed: +.* by the clock of that machine/);
    const page = await (await test.fetch(`/submissions/${id}`)).text();
    expect(page).not.toContain("sealed");
  });

  it("are sent by one sync at a time in one folder", async () => {
    await seal("predictions.csv");
    await writeFile(spool(".sync.lock"), `${hostname()} ${process.pid} 1`);
    expect(await run(["sync", "--any-broker"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Another sync is working on"),
    });
    // Its process has ended.
    await writeFile(spool(".sync.lock"), `${hostname()} 999999999 1`);
    expect((await sync()).code).toBe(0);
    expect(await readdir(spool())).not.toContain(".sync.lock");
  });

  it("are sealed by the library too", async () => {
    const options = { folder: spool(), broker: test.broker.url, message: "from a program" };
    const { id, entry } = await Challenge.spool("test", { score: 0.5 }, options);
    expect(await entries()).toEqual([entry]);
    expect((await sync()).results).toMatchObject([{ id, outcome: "accepted", message: "from a program" }]);
    const aborted = Challenge.spool("test", 1, { ...options, signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: "interrupted" });
    expect(await entries()).toEqual([]);
    if (process.platform !== "linux") return;
    const unwritable = Challenge.spool("test", 1, { ...options, folder: "/proc/spool" });
    await expect(unwritable).rejects.toMatchObject({ code: "file_unwritable" });
  });

  it("leave nothing when they cannot be sealed", async () => {
    project.write("empty.csv", "");
    for (const [args, text] of [
      [["empty.csv"], "is empty"],
      [["-"], "Standard input is empty"],
      [["missing.csv"], "does not exist"],
      [["predictions.csv", "--min-score", "1"], "--min-score needs the broker"],
    ] as const) {
      const done = await run(["submit", ...args, "--spool", "out"]);
      expect(done.code).toBeGreaterThan(0);
      expect(done.stderr).toContain(text);
    }
    await mkdir(join(project.folder, "out"), { recursive: true });
    expect((await readdir(join(project.folder, "out"))).filter((name) => name !== ".gitignore")).toEqual([]);
  });
});
