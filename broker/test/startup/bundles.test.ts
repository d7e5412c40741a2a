import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PublicChallenge, Submission } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../support/run-command.ts";
import { startBroker, type TestBroker, untilEnd, writeChallenge } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

describe("a challenge added as a bundle", () => {
  let test: TestBroker;
  let source: string;
  beforeEach(async () => {
    test = await startBroker({ challenges: [] });
    source = await mkdtemp(join(tmpdir(), "crowdai-source-"));
  });
  afterEach(async () => {
    await test.close();
    await rm(source, { recursive: true, force: true });
  });

  const run = (...args: string[]) => runCommand(test.folder, ["challenge", ...args]);
  const add = async (dir: string) => {
    const ran = await run("add", dir, "--data", join(test.folder, "data"));
    expect(ran.code, ran.stderr).toBe(0);
    return ran.stdout.trim().split("\t")[1] as string;
  };
  const seen = (id = "test") =>
    until(async () => {
      const answer = await test.fetch(`/api/v1/challenges/${id}`);
      return answer.ok && ((await answer.json()) as PublicChallenge);
    });
  const grade = async (score: number) => {
    const client = await test.connect();
    const { submission } = await client.submit({ input: { kind: "inline", data: { score } } });
    await untilEnd(client, submission.id);
    client.socket.disconnect();
    return (await (await test.fetch(`/api/v1/submissions/${submission.id}`)).json()) as Submission;
  };
  /** Writes the same evaluator, which multiplies scores by the factor. */
  async function writeTimes(factor: number, config = {}): Promise<string> {
    const dir = await writeChallenge(source, config);
    const file = join(dir, "evaluate.py");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace('score=given["score"]', `score=given["score"] * ${factor}`));
    return dir;
  }

  it("is served, with its public files, by a broker without its folder, and graded at its version", async () => {
    const dir = await writeChallenge(source);
    await mkdir(join(dir, "public/deep"), { recursive: true });
    const bytes = Buffer.from("id,x\n1,2\n");
    await writeFile(join(dir, "public/deep/train.csv"), bytes);
    await writeFile(join(dir, "public/empty.csv"), "");
    const version = await add(dir);
    const challenge = await seen();
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect(challenge.data).toMatchObject([
      { name: "deep/train.csv", size: bytes.length, sha256 },
      { name: "empty.csv", size: 0 },
    ]);
    const whole = await test.fetch("/api/v1/challenges/test/data/deep/train.csv");
    expect(Buffer.from(await whole.arrayBuffer())).toEqual(bytes);
    const part = await fetch(challenge.data[0]!.url, { headers: { range: "bytes=3-6" } });
    expect([part.status, await part.text()]).toEqual([206, "x\n1,"]);
    const empty = await fetch(challenge.data[1]!.url);
    expect([empty.status, await empty.text()]).toEqual([200, ""]);
    for (const secret of ["evaluate.py", "../evaluate.py", "challenge.json", "..%2fevaluate.py"])
      expect((await test.fetch(`/api/v1/challenges/test/data/${secret}`)).status).toBe(404);
    expect(await grade(0.5)).toMatchObject({ score: 0.5, evaluator_version: version });
  });

  it("is graded with a new version as soon as that is added, without a restart", async () => {
    const first = await add(await writeTimes(1));
    await seen();
    const before = await grade(2);
    const second = await add(await writeTimes(10));
    expect(second).not.toBe(first);
    const after = await until(async () => {
      const now = await grade(2);
      return now.evaluator_version === second && now;
    });
    expect(before).toMatchObject({ score: 2, evaluator_version: first });
    expect(after).toMatchObject({ score: 20 });
    const kept = await (await test.fetch(`/api/v1/submissions/${before.id}`)).json();
    expect(kept).toMatchObject({ score: 2, evaluator_version: first });
  });

  it("is listed with its versions, and adding an earlier one again makes that current", async () => {
    const data = join(test.folder, "data");
    const first = await add(await writeTimes(1));
    expect((await run("add", join(source, "test"), "--data", data)).stderr).toContain("is already current");
    const second = await add(await writeTimes(2));
    const lines = async () => (await run("list", "--data", data)).stdout.trim().split("\n");
    const states = async () =>
      Object.fromEntries((await lines()).map((line) => [line.split("\t")[1], line.split("\t")[3]]));
    expect(await states()).toEqual({ [first]: "earlier", [second]: "current" });
    expect(await add(await writeTimes(1))).toBe(first);
    expect(await states()).toEqual({ [first]: "current", [second]: "earlier" });
    const listed = JSON.parse((await run("list", "--data", data, "--format", "json")).stdout);
    expect(listed).toMatchObject({ schema_version: 1, challenges: [{ id: "test" }, { id: "test" }] });
  });

  it("is ignored while the broker has its folder, and served once the folder is removed", async () => {
    const bundled = await add(await writeTimes(10, { title: "Bundled" }));
    const dir = await writeChallenge(join(test.folder, "challenges"));
    await test.restart();
    expect(await grade(2)).toMatchObject({ score: 2, evaluator_version: expect.not.stringMatching(bundled) });
    await rm(dir, { recursive: true });
    // A job for the folder would wait for it to return.
    await until(async () => (await seen()).title === "Bundled");
    expect(await grade(2)).toMatchObject({ score: 20, evaluator_version: bundled });
  });

  it("is refused for symbolic links, all of them named, and nothing is recorded", async () => {
    const dir = await writeChallenge(source);
    await symlink("/etc/hostname", join(dir, "answers.csv"));
    await symlink("evaluate.py", join(dir, "other.py"));
    const data = join(test.folder, "data");
    const { code, stdout, stderr } = await run("add", dir, "--data", data);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    for (const name of ["answers.csv", "other.py"]) expect(stderr).toContain(`${name}: expected a file`);
    expect((await run("list", "--data", data)).stdout).toBe("");
  });

  it("is refused when the folder has errors, all of them reported", async () => {
    const dir = await writeChallenge(source);
    await writeFile(join(dir, "challenge.json"), JSON.stringify({ id: "test", title: "", evaluator: {} }));
    const { code, stderr } = await run("add", dir, "--data", join(test.folder, "data"));
    expect(code).toBe(2);
    for (const field of ["title", "score", "evaluator"]) expect(stderr).toContain(field);
  });

  it("is refused when bundles leave out a file that the evaluator needs", async () => {
    const dir = await writeChallenge(source, { evaluator: { command: ["./.hidden/run.sh"] } });
    await mkdir(join(dir, ".hidden"));
    await writeFile(join(dir, ".hidden/run.sh"), "#!/bin/sh\n", { mode: 0o755 });
    const { code, stderr } = await run("add", dir, "--data", join(test.folder, "data"));
    expect(code).toBe(2);
    expect(stderr).toContain("which does not exist");
  });
});
