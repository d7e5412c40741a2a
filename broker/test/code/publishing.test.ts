import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ClosedChallenge } from "../../src/domain/publishing/close-challenge.ts";
import { runCommand } from "../support/run-command.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { until } from "../support/until.ts";
import { type Author, agreed, author } from "./code-author.ts";
import { createPlainGit, type PlainGit, submitWithCode } from "./plain-git.ts";

const BROKER = fileURLToPath(new URL("../../bin/crowdai-broker.js", import.meta.url));

describe("publishing", { timeout: 300_000 }, () => {
  let broker: TestBroker;
  let git: PlainGit;
  let ada: Author;
  let grace: Author;
  beforeEach(async () => {
    [broker, git] = await Promise.all([startBroker({ challenges: [{}, { id: "other" }] }), createPlainGit()]);
    ada = author(broker, git);
    grace = author(broker, git, await broker.addParticipant("grace"));
    await Promise.all([agreed(broker, 1), agreed(broker, 2)]);
  });
  afterEach(async () => {
    await Promise.all([broker.close(), git.close()]);
  });

  const folders = () => [
    "--data",
    join(broker.folder, "data"),
    "--challenges",
    join(broker.folder, "challenges"),
  ];
  async function close(...more: string[]): Promise<ClosedChallenge & { clone_url: string }> {
    const args = ["challenge", "close", "test", ...folders(), "--force", "--format", "json", ...more];
    const ran = await runCommand(broker.folder, args);
    expect(ran).toMatchObject({ code: 0 });
    return JSON.parse(ran.stdout).closed;
  }
  const address = (path: string) => `${broker.broker.url}/code/${path}`;
  const clone = async (path: string, options: { key?: string; args?: string[] } = {}) => {
    const { key, args = [] } = options;
    const folder = join(git.folder, `clone-${Math.random().toString(36).slice(2)}`);
    const ran = await git.run(["clone", "-q", ...args, address(path), folder], { key });
    return { folder, ...ran, must: (...words: string[]) => git.must(words, { dir: folder }) };
  };

  it("shows nothing before the close, and afterwards exactly the selected code", async () => {
    const first = await ada.handIn({ "model.py": "secret = 1\n", "notes/private.txt": "not for you\n" });
    const second = await ada.handIn({ "model.py": "x = 2\n", "lib/a.py": "shared\n" }, { score: 0.7 });
    const third = await ada.handIn({ "model.py": "secret = 3\n" });
    const fourth = await ada.handIn({
      "model.py": "x = 4\n",
      "lib/a.py": "shared\n",
      LICENSE: "MIT, mine\n",
    });
    const hers = await grace.handIn({ "main.py": "g\n" });
    const unchosen = await grace.handIn({ "main.py": "never\n" });

    expect((await ada.post(`/api/v1/submissions/${second}/publish`)).body).toMatchObject({
      publish: true,
      published_at: null,
    });
    for (const id of [second, fourth]) await ada.post(`/api/v1/submissions/${id}/publish`);
    await grace.post(`/api/v1/submissions/${hers}/publish`);
    await ada.post(`/api/v1/submissions/${third}/publish`);
    expect((await ada.post(`/api/v1/submissions/${third}/unpublish`)).body).toMatchObject({ publish: false });
    for (const path of ["test.git", "test/ada.git", "test/grace.git"])
      expect((await clone(path)).code, path).not.toBe(0);
    expect((await clone("test/ada.git", { key: grace.key })).code).not.toBe(0);

    expect(await close()).toMatchObject({
      submissions: 3,
      participants: 2,
      awaited: 0,
      shown: true,
      problems: [],
      clone_url: address("test.git"),
    });
    expect(await ada.view(second)).toMatchObject({ publish: true, published_at: expect.any(String) });
    expect(await ada.view(third)).toMatchObject({ publish: false, published_at: null });

    const whole = await clone("test.git", { args: ["--recurse-submodules"] });
    expect(whole.code, whole.stderr).toBe(0);
    const read = (path: string) => readFile(join(whole.folder, path), "utf8");
    expect(await read("ada/LICENSE")).toBe("MIT, mine\n");
    expect(await read("grace/main.py")).toBe("g\n");
    expect(await read("README.md")).toContain("published");
    expect(await whole.must("config", "-f", ".gitmodules", "submodule.ada.url")).toBe("../test/ada.git");

    const public_ = await clone("test/ada.git");
    expect(await public_.must("tag")).toBe(
      [`submission-${second}`, `submission-${fourth}`].sort().join("\n"),
    );
    expect(
      (await public_.must("log", "--format=%an %(trailers:key=Submission,valueonly,separator=)")).split("\n"),
    ).toEqual([`Ada L ${fourth}`, `Ada L ${second}`]);
    const licence = await public_.must("show", `submission-${second}:LICENSE`);
    expect(licence).toContain(`Copyright (c) ${new Date().getUTCFullYear()} Ada L\n`);
    expect(licence).toContain("Permission is hereby granted");
    expect(await public_.must("fsck", "--strict", "--full")).toBe("");

    // Absent from the objects of the public repository, and not available to a fetch by name.
    const privately = await clone("test/ada.git", { key: ada.key });
    expect((await privately.must("tag")).split("\n")).toHaveLength(4);
    const listed = async ({ must }: typeof public_) =>
      (await must("rev-list", "--objects", "--all")).split("\n").map((line) => line.split(" ")[0] as string);
    const shared = new Set(await listed(public_));
    const hidden = (await listed(privately)).filter((object) => !shared.has(object));
    expect(hidden.length).toBeGreaterThan(8);
    const onDisk = await git.must(["cat-file", "--batch-check", "--batch-all-objects"], {
      dir: join(broker.folder, "data/code/test/1.public.git"),
    });
    expect(
      onDisk
        .split("\n")
        .map((line) => line.split(" ")[0])
        .sort(),
    ).toEqual([...shared].sort());
    for (const object of hidden) {
      expect(onDisk).not.toContain(object);
      const fetched = await git.run(["fetch", "-q", address("test/ada.git"), object], {
        dir: public_.folder,
      });
      expect(fetched.code, fetched.stderr).not.toBe(0);
    }
    for (const text of ["secret", "not for you"])
      expect((await public_.must("log", "--all", "-p")).includes(text)).toBe(false);
    for (const id of [first, third, unchosen])
      expect((await broker.fetch(`/api/v1/submissions/${id}/code`, { key: null })).status).toBe(404);
  });

  it("is final, and code selected later becomes public at once, on top of the existing commits", async () => {
    const one = await ada.handIn({ a: "1\n" });
    const two = await ada.handIn({ a: "2\n" });
    const three = await ada.handIn({ a: "3\n" });
    await ada.post(`/api/v1/submissions/${two}/publish`);
    await close();
    const before = await clone("test/ada.git");
    expect(await ada.post(`/api/v1/submissions/${two}/unpublish`)).toMatchObject({
      status: 403,
      body: { error: { code: "challenge_closed" } },
    });
    expect((await ada.post(`/api/v1/submissions/${three}/unpublish`)).body).toMatchObject({ publish: false });

    expect((await ada.post(`/api/v1/submissions/${one}/publish`)).body).toMatchObject({
      publish: true,
      published_at: expect.any(String),
    });
    const after = await clone("test/ada.git");
    expect(await after.must("log", "--format=%H", "--skip=1")).toBe(await before.must("log", "--format=%H"));
    expect(await after.must("show", "HEAD:a")).toBe("1");
    await until(async () => (await close()).shown);
    const whole = await clone("test.git", { args: ["--recurse-submodules"] });
    expect(whole.code, whole.stderr).toBe(0);
    expect(await whole.must("-C", "ada", "rev-parse", "HEAD")).toBe(await after.must("rev-parse", "HEAD"));
    expect(await close()).toMatchObject({ submissions: 2, participants: 1, shown: true });
  });

  it("goes on after a git process was killed while it wrote refs", async () => {
    const one = await ada.handIn({ a: "1\n" });
    const two = await ada.handIn({ a: "2\n" });
    await ada.post(`/api/v1/submissions/${two}/publish`);
    await close();
    await until(async () => (await close()).shown);
    for (const made of ["test/ada.git", "test.git"]) expect((await clone(made)).code).toBe(0);
    const code = join(broker.folder, "data/code/test");
    const derived = (await readdir(code)).filter((name) => /^(challenge.*|.*\.public)\.git$/.test(name));
    expect(derived.length).toBeGreaterThanOrEqual(2);
    for (const name of derived) {
      await writeFile(join(code, name, "refs/heads/main.lock"), "");
      await writeFile(join(code, name, `refs/tags/submission-${one}.lock`), "");
    }
    await ada.post(`/api/v1/submissions/${one}/publish`);
    await until(async () => (await close()).shown);
    expect(await (await clone("test/ada.git")).must("show", "HEAD:a")).toBe("1");
    const whole = await clone("test.git", { args: ["--recurse-submodules"] });
    expect(whole.code, whole.stderr).toBe(0);
  });

  it("records each publish request with its time, and ignores repetitions", async () => {
    const id = await ada.handIn({ a: "1\n" });
    for (const what of ["publish", "publish", "unpublish", "unpublish", "publish"])
      expect((await ada.post(`/api/v1/submissions/${id}/${what}`)).status).toBe(200);
    const rows = await broker.records.db.selectFrom("publish_wishes").selectAll().orderBy("id").execute();
    expect(rows.map(({ publish }) => publish)).toEqual([1, 0, 1]);
    expect(rows.every(({ at, submission }) => submission === id && !Number.isNaN(Date.parse(at)))).toBe(true);
  });

  it("is refused for others' submissions, for submissions without code, and without an agreement", async () => {
    const hers = await grace.handIn({ a: "1\n" });
    expect((await ada.post(`/api/v1/submissions/${hers}/publish`)).status).toBe(404);
    const { submission } = await submitWithCode(broker, null);
    expect(await ada.post(`/api/v1/submissions/${submission.id}/publish`)).toMatchObject({
      status: 422,
      body: { error: { code: "nothing_to_publish" } },
    });
    const eve = author(broker, git, await broker.addParticipant("eve"));
    const id = await eve.handIn({ a: "2\n" });
    expect(await eve.post(`/api/v1/submissions/${id}/publish`)).toMatchObject({
      status: 403,
      body: { error: { code: "agreement_missing", details: { command: "crowdai agree" } } },
    });
    expect((await eve.post(`/api/v1/submissions/${id}/unpublish`)).status).toBe(200);
  });

  it("includes code graded after the close, and accepts no more submissions", async () => {
    const hold = join(broker.folder, "hold");
    const snapshot = await git.snapshot({ a: "late\n" });
    const client = await broker.connect();
    const late = await client.submit({
      input: { kind: "inline", data: { score: 1, hold } },
      code: snapshot,
      publish: true,
    });
    expect(late.submission).toMatchObject({ publish: true, published_at: null });
    await git.must(["push", "-q", late.code!.url, `${snapshot.commit}:${late.code!.ref}`], { key: ada.key });
    expect(await close()).toMatchObject({ submissions: 0, awaited: 1 });
    expect((await clone("test/ada.git")).code).not.toBe(0);
    await expect(client.submit({ input: { kind: "inline", data: { score: 1 } } })).rejects.toMatchObject({
      code: "challenge_closed",
    });
    await git.must(["init", "-q", "--bare", hold], { dir: git.folder });
    await until(async () => (await ada.view(late.submission.id)).published_at);
    const found = await clone("test/ada.git");
    expect(found.code, found.stderr).toBe(0);
    expect(await found.must("show", "HEAD:a")).toBe("late");
    expect(await close()).toMatchObject({ submissions: 1, awaited: 0 });
  });

  it("waits for the end of the last round unless it is forced, and affects no other challenge", async () => {
    const args = (id: string) => ["challenge", "close", id, ...folders()];
    const refused = await runCommand(broker.folder, args("test"));
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain('error[challenge_running]: Round "1" of test has no end.');
    expect((await runCommand(broker.folder, args("tset"))).stderr).toContain('did you mean "test"?');
    const id = await ada.handIn({ a: "1\n" });
    await ada.post(`/api/v1/submissions/${id}/publish`);
    const other = await author(broker, git, broker.key, "other").handIn({ a: "o\n" });
    await ada.post(`/api/v1/submissions/${other}/publish`);
    await close();
    expect(await ada.view(other)).toMatchObject({ publish: true, published_at: null });
    expect((await clone("other/ada.git")).code).not.toBe(0);
    expect((await clone("other.git")).code).not.toBe(0);
    expect((await clone("test/ada.git")).code).toBe(0);
  });

  it("survives kill -9 at any point: closing again completes it, with nothing published twice", async () => {
    const chosen: string[] = [];
    for (let n = 0; n < 4; n++)
      for (const who of [ada, grace]) {
        const id = await who.handIn({ a: `${n}\n`, [`f${n}`]: "x\n" });
        if (n === 1) continue;
        await who.post(`/api/v1/submissions/${id}/publish`);
        chosen.push(id);
      }
    await broker.broker.stop();
    const start = () =>
      spawn(
        process.execPath,
        [BROKER, "challenge", "close", "test", ...folders(), "--force", "--format", "json"],
        {
          stdio: ["ignore", "pipe", "inherit"],
          env: { ...process.env, LOG_LEVEL: "silent" },
        },
      );
    let stdout = "";
    for (let wait = 400; ; wait *= 2) {
      const child = start();
      stdout = "";
      child.stdout.on("data", (part) => {
        stdout += part;
      });
      // A run that takes longer is slowed by the machine: waiting for ever longer kills would take several
      // times as long as the work.
      const timer = wait > 5000 ? undefined : setTimeout(() => child.kill("SIGKILL"), wait);
      const [code] = await once(child, "close");
      clearTimeout(timer);
      if (code === 0) break;
    }
    expect(JSON.parse(stdout).closed).toMatchObject({ submissions: 6, participants: 2, shown: true });
    const rows = await broker.records.db
      .selectFrom("publications")
      .selectAll()
      .orderBy("submission")
      .execute();
    expect(rows.map(({ submission }) => submission)).toEqual([...chosen].sort());
    expect(await broker.records.db.selectFrom("public_challenge_commits").selectAll().execute()).toHaveLength(
      1,
    );
    // As after a kill between the update of the branch and its note.
    for (const id of ["1", "2"])
      await rm(join(broker.folder, "data/code/test", `${id}.public.git`, "crowdai.json"));
    await broker.restart();
    const whole = await clone("test.git", { args: ["--recurse-submodules"] });
    expect(whole.code, whole.stderr).toBe(0);
    for (const name of ["ada", "grace"]) {
      expect((await whole.must("-C", name, "log", "--format=%H")).split("\n")).toHaveLength(3);
      expect(await whole.must("-C", name, "fsck", "--strict", "--full")).toBe("");
    }
    const left = await readdir(join(broker.folder, "data/code/test"));
    expect(left.filter((name) => name.endsWith(".git")).sort()).toEqual(
      ["1.git", "1.public.git", "2.git", "2.public.git", "challenge.public.git"].sort(),
    );
  }, 300_000);
});
