import { join } from "node:path";
import type { Submission } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { until } from "../support/until.ts";
import { createPlainGit, type PlainGit, submitWithCode } from "./plain-git.ts";

describe("code that arrives by git push", () => {
  let broker: TestBroker;
  let git: PlainGit;
  beforeEach(async () => {
    [broker, git] = await Promise.all([startBroker(), createPlainGit()]);
  });
  afterEach(async () => {
    await Promise.all([broker.close(), git.close()]);
  });

  const push = (url: string, spec: string, key: string | null = broker.key, more: string[] = []) =>
    git.run(["push", ...more, url, spec], { key });

  async function view(id: string): Promise<Submission> {
    return (await broker.fetch(`/api/v1/submissions/${id}`)).json() as Promise<Submission>;
  }

  /** Submits, pushes, and waits for the commit. */
  async function handIn(files: Record<string, string>, score: number): Promise<string> {
    const snapshot = await git.snapshot(files);
    const { submission, code } = await submitWithCode(broker, snapshot, { data: { score } });
    const pushed = await push(code!.url, `${snapshot.commit}:${code!.ref}`);
    expect(pushed.stderr).toContain("[new reference]");
    await until(async () => (await view(submission.id)).code?.tag);
    return submission.id;
  }

  it("becomes a commit with a tag and trailers once the submission is graded", async () => {
    const id = await handIn({ "model.py": "x = 1\n", "lib/a.py": "1\n" }, 0.75);
    const second = await handIn({ "model.py": "x = 2\n", "lib/a.py": "1\n" }, 0.8);
    const { code } = await view(id);
    expect(code).toMatchObject({ state: "stored", tag: `submission-${id}`, files: 2, bytes: 8 });

    const clone = join(git.folder, "clone");
    await git.must(["clone", "-q", code!.url!, clone], { key: broker.key });
    expect(await git.must(["fsck", "--strict", "--full"], { dir: clone })).toBe("");
    expect((await git.must(["log", "--format=%s"], { dir: clone })).split("\n")).toHaveLength(2);
    const trailers = await git.must(
      ["log", "-1", "--format=%an <%ae>|%cn|%(trailers:unfold)", `submission-${id}`],
      {
        dir: clone,
      },
    );
    expect(trailers).toMatch(/^Ada L <ada@example\.org>\|crowdAI\|/);
    for (const line of [
      `Submission: ${id}`,
      "Challenge: test",
      "Round: 1",
      "Score: 0.75",
      "Head: main 0123abc",
      "Runtime: Python 3.11",
    ])
      expect(trailers).toContain(line);
    const diff = await git.must(["diff", `submission-${id}`, `submission-${second}`], { dir: clone });
    expect(diff).toContain("-x = 1\n+x = 2");
    expect(
      await git.must(["for-each-ref", "refs/remotes", "--format=%(refname)"], { dir: clone }),
    ).not.toContain("incoming");
  });

  it("may arrive before or after the grade, twice, and in parallel", async () => {
    const first = await git.snapshot({ a: "1" });
    const late = await submitWithCode(broker, first);
    await until(async () => (await view(late.submission.id)).state === "graded");
    expect((await view(late.submission.id)).code).toMatchObject({ state: "awaited", tag: null });
    for (let again = 0; again < 2; again++) {
      const pushed = await push(late.code!.url, `${first.commit}:${late.code!.ref}`);
      expect(pushed.code).toBe(0);
    }
    await until(async () => (await view(late.submission.id)).code?.tag);

    const others = await Promise.all([2, 3, 4].map((n) => git.snapshot({ a: String(n), [`b${n}`]: "x" })));
    const receipts = [];
    for (const snapshot of others) receipts.push(await submitWithCode(broker, snapshot));
    const pushed = await Promise.all(
      receipts.map(({ code }, index) => push(code!.url, `${others[index]!.commit}:${code!.ref}`)),
    );
    expect(pushed.map(({ code }) => code)).toEqual([0, 0, 0]);
    for (const { submission } of receipts) await until(async () => (await view(submission.id)).code?.tag);
    const clone = join(git.folder, "clone");
    await git.must(["clone", "-q", late.code!.url, clone], { key: broker.key });
    expect((await git.must(["log", "--format=%s"], { dir: clone })).split("\n")).toHaveLength(4);
  });

  it("need not be pushed again when the broker has the commit", async () => {
    const snapshot = await git.snapshot({ a: "1" });
    const one = await submitWithCode(broker, snapshot);
    expect(one.code).toMatchObject({ have: false });
    await push(one.code!.url, `${snapshot.commit}:${one.code!.ref}`);
    const two = await submitWithCode(broker, snapshot);
    expect(two.code).toMatchObject({ have: true });
    expect(two.submission.code).toMatchObject({ state: "stored" });
    await until(async () => (await view(two.submission.id)).code?.tag);
  });

  it("is accepted only at the announced ref and with the announced commit", async () => {
    const snapshot = await git.snapshot({ a: "1" });
    const other = await git.snapshot({ a: "2" });
    const { code, submission } = await submitWithCode(broker, snapshot);
    const { url, ref } = code!;
    const refused = async (spec: string[], words: string, more: string[] = []) => {
      const pushed = await git.run(["push", ...more, url, ...spec], { key: broker.key });
      expect(pushed.code, spec.join(" ")).not.toBe(0);
      expect(pushed.stderr, spec.join(" ")).toContain(words);
    };
    await refused(
      [`${snapshot.commit}:refs/heads/main`],
      "remote: error[code_push_refused]: Cannot write refs/heads/main",
    );
    await refused([`${snapshot.commit}:refs/tags/submission-${submission.id}`], "Cannot write refs/tags");
    await refused([`${snapshot.commit}:refs/incoming/someoneelses`], "You have no submission");
    await refused([`${other.commit}:${ref}`], "was registered with commit");
    await refused([`${snapshot.commit}:${ref}`, `${snapshot.commit}:refs/heads/x`], "and nothing else");
    await refused([`${snapshot.commit}:${ref}`], "push options", ["-o", "x;y"]);
    await push(url, `${snapshot.commit}:${ref}`);
    await refused([`:${ref}`], "[remote rejected]");
    await refused([`+${other.commit}:${ref}`], "was registered with commit", ["--force"]);
    expect((await view(submission.id)).code).toMatchObject({ state: "stored" });
  });

  it("is readable only by its participant and the organizers", async () => {
    const grace = await broker.addParticipant("grace");
    const snapshot = await git.snapshot({ a: "1" });
    const { code } = await submitWithCode(broker, snapshot);
    const { url, ref } = code!;
    const forbidden = await push(url, `${snapshot.commit}:${ref}`, grace);
    expect(forbidden.stderr).toContain("repository_unknown");
    const wrong = await push(
      url,
      `${snapshot.commit}:${ref}`,
      `${grace.slice(0, -1)}${grace.endsWith("x") ? "y" : "x"}`,
    );
    expect(wrong.stderr).toMatch(/key_malformed|Authentication failed|could not read/);
    for (const key of [grace, null]) {
      const cloned = await git.run(["clone", "-q", url, join(git.folder, "no")], { key });
      expect(cloned.code).not.toBe(0);
    }
    const asked = await fetch(`${url}/info/refs?service=git-upload-pack`);
    expect([asked.status, asked.headers.get("www-authenticate")]).toEqual([
      401,
      expect.stringMatching(/^Basic /),
    ]);
    // No file of a repository is served directly, and no other service.
    for (const path of [
      "/HEAD",
      "/config",
      "/objects/info/packs",
      "/info/refs",
      "/info/refs?service=git-upload-archive",
    ]) {
      const answer = await fetch(url + path, { headers: { authorization: `Bearer ${broker.key}` } });
      expect(answer.status, path).toBe(404);
    }
  });
});
