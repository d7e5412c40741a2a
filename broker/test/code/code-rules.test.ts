import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Submission } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addOrganizer } from "../../src/domain/participants/api-keys.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { until } from "../support/until.ts";
import { createPlainGit, type PlainGit, submitWithCode } from "./plain-git.ts";

const HOUR = 3600 * 1000;

describe("a challenge's rules for code", () => {
  let broker: TestBroker;
  let git: PlainGit;
  let now: number;
  beforeEach(async () => {
    now = Date.now();
    git = await createPlainGit();
    broker = await startBroker({
      clock: () => new Date(now),
      challenges: [
        { id: "test" },
        { id: "off", code: { capture: "off" } },
        { id: "required", code: { capture: "required" }, accepts: { json: {}, code: { max_bytes: 100 } } },
        { id: "given", code: { to_graders: true }, evaluator: { command: ["python3", "evaluate.py"] } },
      ],
    });
    await writeFile(
      join(broker.folder, "challenges/given/evaluate.py"),
      `
import json, os, sys
job = json.loads(sys.stdin.readline())
files = sorted(os.path.relpath(os.path.join(at, f), job["code"]) for at, _, fs in os.walk(job["code"]) for f in fs) if job["code"] else None
text = open(os.path.join(job["code"], "a")).read() if job["code"] else None
print(json.dumps({"id": job["id"], "type": "result", "score": 1, "message": json.dumps([files, text])}))
`,
    );
  });
  afterEach(async () => {
    await Promise.all([broker.close(), git.close()]);
  });

  async function view(id: string): Promise<Submission> {
    return (await broker.fetch(`/api/v1/submissions/${id}`)).json() as Promise<Submission>;
  }
  const ended = (id: string) =>
    until(async () => {
      const submission = await view(id);
      return submission.state === "graded" || submission.state === "failed" ? submission : null;
    });

  it("off: announced code is refused", async () => {
    const snapshot = await git.snapshot({ a: "1" });
    await expect(submitWithCode(broker, snapshot, { challenge: "off" })).rejects.toMatchObject({
      code: "code_off",
    });
  });

  it("required: submissions without code, or with too much of it, are refused", async () => {
    await expect(submitWithCode(broker, null, { challenge: "required" })).rejects.toMatchObject({
      code: "code_required",
    });
    const large = await git.snapshot({ a: "1".repeat(101) });
    await expect(submitWithCode(broker, large, { challenge: "required" })).rejects.toMatchObject({
      code: "code_too_large",
    });
    // Announced as small, but large on arrival.
    const { code, submission } = await submitWithCode(
      broker,
      { ...large, bytes: 1 },
      { challenge: "required" },
    );
    const pushed = await git.run(["push", code!.url, `${large.commit}:${code!.ref}`], { key: broker.key });
    expect(pushed.stderr).toContain("remote: error[code_too_large]: The code has more than 100 bytes");
    expect(await view(submission.id)).toMatchObject({ state: "submitted", waiting: "waiting for the code" });
  });

  it("required: grading waits for the code, and without it the submission fails and its slot is returned", async () => {
    const snapshot = await git.snapshot({ a: "1" });
    const { code, submission } = await submitWithCode(broker, snapshot, { challenge: "required" });
    const never = await submitWithCode(broker, await git.snapshot({ a: "2" }), { challenge: "required" });
    await git.must(["push", "-q", code!.url, `${snapshot.commit}:${code!.ref}`], { key: broker.key });
    expect(await ended(submission.id)).toMatchObject({ state: "graded" });
    expect(await view(never.submission.id)).toMatchObject({ state: "submitted" });
    now += 7 * 24 * HOUR + 1000;
    expect(await ended(never.submission.id)).toMatchObject({
      state: "failed",
      slot: "returned",
      error: { code: "code_missing" },
      code: { state: "missing" },
    });
  });

  it("optional: grading never waits; late code counts as missing after a week but is still accepted", async () => {
    const snapshot = await git.snapshot({ a: "1" });
    const { code, submission } = await submitWithCode(broker, snapshot);
    expect(await ended(submission.id)).toMatchObject({ state: "graded", code: { state: "awaited" } });
    now += 7 * 24 * HOUR + 1000;
    await until(async () => (await view(submission.id)).code?.state === "missing");
    await git.must(["push", "-q", code!.url, `${snapshot.commit}:${code!.ref}`], { key: broker.key });
    await until(async () => (await view(submission.id)).code?.tag);
  });

  it("to_graders: the evaluator receives the files, whatever the tree's attributes", async () => {
    const snapshot = await git.snapshot({
      a: "text\n$Format:%H$ $Id$\n",
      "lib/b": "2",
      ".gitattributes": "lib export-ignore\na export-subst ident eol=crlf text filter=x\n",
    });
    const { code, submission } = await submitWithCode(broker, snapshot, { challenge: "given" });
    expect(await view(submission.id)).toMatchObject({ waiting: "waiting for the code" });
    await git.must(["push", "-q", code!.url, `${snapshot.commit}:${code!.ref}`], { key: broker.key });
    const { grading_message } = await ended(submission.id);
    expect(JSON.parse(grading_message!)).toEqual([
      [".gitattributes", "a", "lib/b"],
      "text\n$Format:%H$ $Id$\n",
    ]);
    // Code that the broker has need not be pushed again.
    const again = await submitWithCode(broker, snapshot, { challenge: "given" });
    expect(again.code).toMatchObject({ have: true });
    expect((await ended(again.submission.id)).grading_message).toBe(grading_message);
  });

  it("to_graders: grading starts without the code after an hour", async () => {
    const { submission } = await submitWithCode(broker, await git.snapshot({ a: "1" }), {
      challenge: "given",
    });
    now += HOUR + 1000;
    expect(await ended(submission.id)).toMatchObject({ state: "graded", grading_message: "[null, null]" });
    expect(await view(submission.id)).toMatchObject({ code: { state: "awaited" } });
  });

  it("when a second commit is announced, it replaces the first until one is stored", async () => {
    const [one, two, three] = [
      await git.snapshot({ a: "1" }),
      await git.snapshot({ a: "2" }),
      await git.snapshot({ a: "3" }),
    ];
    const { submission } = await submitWithCode(broker, one, { challenge: "required" });
    const { id } = submission;
    const again = await submitWithCode(broker, two, { challenge: "required", id });
    expect(again.submission.code).toMatchObject({ commit: two.commit });
    const { url, ref } = again.code!;
    const old = await git.run(["push", url, `${one.commit}:${ref}`], { key: broker.key });
    expect(old.stderr).toContain("was registered with commit");
    await git.must(["push", "-q", url, `${two.commit}:${ref}`], { key: broker.key });
    const late = await submitWithCode(broker, three, { challenge: "required", id });
    expect(late.submission.code).toMatchObject({ commit: two.commit, state: "stored" });
  });

  it("announcing code that the broker already has ends the wait for it", async () => {
    const [one, two] = [await git.snapshot({ a: "1" }), await git.snapshot({ a: "2" })];
    const first = await submitWithCode(broker, one, { challenge: "required" });
    const { url, ref } = first.code!;
    await git.must(["push", "-q", url, `${one.commit}:${ref}`], { key: broker.key });
    const { submission } = await submitWithCode(broker, two, { challenge: "required" });
    expect(await view(submission.id)).toMatchObject({ waiting: "waiting for the code" });
    await submitWithCode(broker, one, { challenge: "required", id: submission.id });
    expect(await ended(submission.id)).toMatchObject({ state: "graded" });
  });

  it("the challenge's repository joins its participants', for organizers only", async () => {
    const jose = await broker.addParticipant("José / ../..");
    const keys = [broker.key, jose];
    for (const [index, key] of keys.entries()) {
      const snapshot = await git.snapshot({ a: `of ${index}` });
      const { code, submission } = await submitWithCode(broker, snapshot, { key });
      await git.must(["push", "-q", code!.url, `${snapshot.commit}:${code!.ref}`], { key });
      await until(async () => {
        const answer = await broker.fetch(`/api/v1/submissions/${submission.id}`, { key });
        return ((await answer.json()) as Submission).code?.tag;
      });
    }
    const organizer = await addOrganizer(broker.records, "org", ["test"], new Date().toISOString());
    const url = `${broker.broker.url}/code/test.git`;
    for (const key of [...keys, null])
      expect((await git.run(["clone", "-q", url, join(git.folder, "no")], { key })).code).not.toBe(0);
    const clone = join(git.folder, "all");
    await git.must(["clone", "-q", "--recurse-submodules", url, clone], { key: organizer, index: "" });
    const folders = await git.must(["submodule", "foreach", "--quiet", "echo $sm_path; cat a; echo"], {
      dir: clone,
      index: "",
    });
    expect(folders.split("\n")).toEqual(["Jose+2", "of 1", "ada", "of 0"]);
    expect(await git.must(["fsck", "--strict"], { dir: clone, index: "" })).toBe("");
    // Nothing changed, so there is no new commit.
    expect(await git.must(["ls-remote", url, "main"], { key: organizer })).toContain(
      await git.must(["rev-parse", "HEAD"], { dir: clone, index: "" }),
    );
  });
});
