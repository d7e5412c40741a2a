import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { openComments, publishComment } from "../../src/ci-report/publish-comment.ts";
import { useCommandLine } from "../command-line.ts";
import { type CommentsApi, startGithubComments, startGitlabNotes, type Trouble } from "./comment-apis.ts";

const cli = useCommandLine();
let api: CommentsApi;
afterEach(async () => {
  await api[Symbol.asyncDispose]();
});

const SUBMIT = ["submit", "--json", "[1]", "-c", "iris", "--comment"];
const event = (change: object = {}) => ({
  pull_request: { number: 7, head: { sha: "abcdef0123456789", repo: { full_name: "acme/iris" } }, ...change },
});

/** Runs a job for pull request 7 of acme/iris. */
function inGithub(args: readonly string[], env: Record<string, string> = {}, happened: unknown = event()) {
  const path = join(cli.folder, "event.json");
  writeFileSync(path, typeof happened === "string" ? happened : JSON.stringify(happened));
  return cli.run(args, {
    env: {
      ...{ CI: "true", GITHUB_ACTIONS: "true", GITHUB_EVENT_PATH: path, GITHUB_API_URL: api.url },
      ...{ GITHUB_REPOSITORY: "acme/iris", GITHUB_TOKEN: "ghs_token", GITHUB_RUN_ID: "5" },
      GITHUB_SERVER_URL: "https://github.com",
      ...env,
    },
  });
}

/** Runs a job for merge request 7 of project 3. */
function inGitlab(args: readonly string[], env: Record<string, string> = {}) {
  return cli.run(args, {
    env: {
      ...{
        CI: "true",
        GITLAB_CI: "true",
        CI_API_V4_URL: api.url,
        CI_PROJECT_ID: "3",
        CI_MERGE_REQUEST_IID: "7",
      },
      ...{ CI_MERGE_REQUEST_PROJECT_ID: "3", GITLAB_TOKEN: "ghs_token", CI_JOB_TOKEN: "job" },
      ...env,
    },
  });
}

describe.each([
  ["a pull request at GitHub", startGithubComments, inGithub],
  ["a merge request at GitLab", startGitlabNotes, inGitlab],
] as const)("crowdai submit --comment on %s", (_name, start, run) => {
  it("writes one comment and updates it, over several pages and beside imitations", async () => {
    api = await start();
    const marker = "<!-- crowdai-report submit iris -->";
    for (let i = 0; i < 120; i++) api.add(`comment ${i}`);
    api.add(`${marker}\nI am the real one`, "mallory");
    expect((await run(SUBMIT)).code).toBe(0);
    expect(api.bodies()).toHaveLength(122);
    expect(api.bodies().at(-1)).toMatch(
      /^<!-- crowdai-report submit iris -->\n### crowdAI: iris\n\n\*\*Accuracy: 0.900\*\*/,
    );

    cli.broker.grader = () => ({ score: 0.95 });
    expect((await run(SUBMIT)).stderr).not.toMatch(/not written|ghs_token/);
    expect(api.bodies()).toHaveLength(122);
    const text = api.bodies().at(-1)!;
    expect(text).toContain("**Accuracy: 0.950**");
    expect(text).toMatch(/Earlier submissions[\s\S]*\| 0.9 \| 3 \|/);
    expect(api.bodies()[120]).toContain("the real one");
    expect(api.requests.every(({ headers }) => !JSON.stringify(headers).includes(cli.broker.key))).toBe(true);
  });

  it("keeps a comment for each job and each label", async () => {
    api = await start();
    const jobs: [Record<string, string>, string[]][] = [
      [{ GITHUB_WORKFLOW: "CI", GITHUB_JOB: "small", CI_JOB_NAME: "small" }, []],
      [{ GITHUB_WORKFLOW: "CI", GITHUB_JOB: "large", CI_JOB_NAME: "large --> 2/2" }, []],
      [{ GITHUB_WORKFLOW: "Nightly", GITHUB_JOB: "small", CI_JOB_NAME: "nightly" }, []],
      [
        { GITHUB_WORKFLOW: "CI", GITHUB_JOB: "small", CI_JOB_NAME: "small" },
        ["--comment-label", "seed 1 -->"],
      ],
      [{ GITHUB_WORKFLOW: "CI", GITHUB_JOB: "small", CI_JOB_NAME: "small" }, ["--comment-label", "\ud800"]],
    ];
    for (const _ of ["created", "updated"])
      for (const [env, label] of jobs) expect((await run([...SUBMIT, ...label], env)).code).toBe(0);
    const texts = api.bodies();
    expect(texts).toHaveLength(jobs.length);
    for (const text of texts) {
      expect(text).toMatch(/^<!-- crowdai-report submit iris [\w%.~!*'()]+( [\w%.~!*'()]+)? -->\n/);
      expect(text).toContain("Earlier submissions");
    }
    expect(texts[0]).toMatch(/small/);
    expect(texts[3]).toContain("<code>seed 1 --&#62;</code>");
  });

  it("keeps the score where the table is too long", async () => {
    api = await start();
    cli.broker.grader = () => ({ score: 0.5, data: "|".repeat(200) });
    const values = JSON.stringify(Array.from({ length: 100 }, () => "x"));
    const call = ["evaluate", "--json", values, "--parallel", "-c", "iris", "--comment"];
    expect((await run(call)).code).toBe(0);
    const [text = ""] = api.bodies();
    expect(text.length).toBeLessThan(65_536);
    expect(text).toContain("**100 of 100 answers**");
    expect(text).toMatch(/\d+ more answers are not shown/);
  });

  it("stays below the limit where a reason has thousands of lines", async () => {
    api = await start();
    const message = `row 2${"\n".repeat(9_000)}row 9`;
    cli.broker.grader = () => ({ error: { code: "rejected", message } });
    expect((await run(SUBMIT)).code).toBe(6);
    const [text = ""] = api.bodies();
    expect(text).toContain("<code>row 2</code>");
    expect(text.length).toBeLessThan(20_000);
  });

  it("forgets a history that was changed by hand, and cuts a long one", async () => {
    api = await start();
    const marker = "<!-- crowdai-report submit iris -->";
    const entries = Array.from({ length: 500 }, () => ({
      commit: "|".repeat(300),
      id: "x".repeat(300),
      score: 1,
    }));
    api.add(
      `${marker}\n<!-- crowdai-history ${Buffer.from(JSON.stringify(entries)).toString("base64url")} -->`,
    );
    await run(SUBMIT);
    expect(api.bodies()[0]!.length).toBeLessThan(65_536);
    expect(api.bodies()[0]).toContain("**Accuracy: 0.900**");
    for (const data of ["", "bm90IGpzb24", Buffer.from('[null,1,{"score":"1"}]').toString("base64url")]) {
      const [text = ""] = api.bodies();
      const changed = text.replace(/crowdai-history \S*/, `crowdai-history ${data}`);
      api = await replace(api, start, changed);
      expect((await run(SUBMIT)).code).toBe(0);
      expect(api.bodies()).toHaveLength(1);
    }
  });

  it("does not fail when the API does, and says why", async () => {
    api = await start();
    const troubles: [Trouble, RegExp][] = [
      [
        { status: 403, body: '{"message":"Resource not accessible, ghs_token"}' },
        /HTTP 403, Resource not accessible, …/,
      ],
      [{ status: 404, body: "{}" }, /HTTP 404/],
      [{ status: 429, body: "{}", headers: { "retry-after": "3600" } }, /HTTP 429/],
      [{ status: 200, body: "<html>Sign in</html>" }, /not JSON/],
      [{ status: 200, body: '{"a":1}' }, /not a list/],
      [{ status: 302, headers: { location: "http://evil.example/" } }, /HTTP 302/],
    ];
    for (const [trouble, why] of troubles) {
      api.trouble = () => trouble;
      const { code, stdout, stderr } = await run([...SUBMIT, "--format", "json"]);
      expect(code).toBe(0);
      expect(JSON.parse(stdout).score).toBe(0.9);
      expect(stderr).toMatch(why);
      expect(stderr).not.toContain("ghs_token");
    }
  });

  it("repeats what the API could not do, but never a comment that may exist", async () => {
    api = await start();
    let failures = 0;
    api.trouble = (what) =>
      what.startsWith("GET") && failures++ === 0 ? { status: 502, body: "<html>" } : undefined;
    expect((await run(SUBMIT)).stderr).not.toContain("not written");
    expect(api.bodies()).toHaveLength(1);
    api.requests = [];
    api.trouble = (what) =>
      /^(PATCH|PUT)/.test(what)
        ? { status: 404, body: "{}" }
        : what.startsWith("POST")
          ? { status: 500 }
          : undefined;
    expect((await run(SUBMIT)).stderr).toContain("HTTP 500");
    expect(api.requests.filter(({ what }) => what.startsWith("POST"))).toHaveLength(1);
  });
});

describe("crowdai submit --comment", () => {
  it("says that a fork may not comment, and does not fail", async () => {
    api = await startGithubComments();
    api.trouble = () => ({ status: 403, body: '{"message":"Resource not accessible by integration"}' });
    const fork = event({ head: { sha: "abcdef0123456789", repo: { full_name: "mallory/iris" } } });
    const { code, stderr } = await inGithub(SUBMIT, {}, fork);
    expect(code).toBe(0);
    expect(stderr).toContain("comes from a fork, whose jobs may not write comments");
  });

  it("takes events that are absent, odd, or not about a pull request", async () => {
    api = await startGithubComments();
    const deep = `${"[".repeat(100_000)}`;
    for (const odd of [
      "",
      "null",
      "[1]",
      deep,
      '{"pull_request":7}',
      '{"pull_request":{"number":"7"}}',
      '{"issue":{"number":7}}',
    ])
      expect((await inGithub(SUBMIT, {}, odd)).stderr).toContain(
        "No comment: this job does not run for a pull",
      );
    await inGithub(SUBMIT, { GITHUB_EVENT_PATH: "/nowhere", GITHUB_REF: "refs/pull/7/merge" });
    await inGithub(SUBMIT, {}, { issue: { number: 7, pull_request: {} } });
    expect(api.bodies()).toHaveLength(1);
  });

  it("takes the token from the variable that is named, and shows none", async () => {
    api = await startGithubComments();
    const none = await inGithub(SUBMIT, { GITHUB_TOKEN: "" });
    expect(none.stderr).toContain("GITHUB_TOKEN is not set");
    const mistaken = await inGithub([...SUBMIT, "--comment-token", "ghs_token"]);
    expect(mistaken.stderr).toContain("the variable that --comment-token names is not set");
    expect(mistaken.stderr).not.toContain("ghs_token");
    const odd = await inGithub(SUBMIT, { GITHUB_TOKEN: "a\r\nx-evil: 1" });
    expect(odd.stderr).toContain("the token contains invalid characters");
    await inGithub([...SUBMIT, "--comment-token", "OTHER"], { GITHUB_TOKEN: "wrong", OTHER: "ghs_token" });
    expect(api.bodies()).toHaveLength(1);
    const job = await inGitlab(SUBMIT, { GITLAB_TOKEN: "" });
    expect(job.stderr).toContain("--comment-token names its variable");
    expect(api.requests.at(-1)!.headers).toMatchObject({ "job-token": "job" });
  });

  it("waits only so long for a slow API", async () => {
    api = await startGithubComments();
    api.trouble = () => "silence";
    const target = {
      api: api.url,
      repository: "acme/iris",
      number: 7,
      isFork: false,
      commit: null,
      job: null,
      jobName: null,
      label: null,
    };
    const env = { GITHUB_TOKEN: "ghs_token" };
    const signal = new AbortController().signal;
    const host = openComments({
      system: "github",
      env,
      target,
      tokenVariable: undefined,
      signal,
      idleMs: 20,
    });
    await expect(publishComment(host, "<!-- x -->", () => "")).rejects.toThrow("no data for 0.02 s");
  });

  it("has no effect outside of CI, and reports failures too", async () => {
    api = await startGithubComments();
    expect((await cli.run(SUBMIT)).stderr).toContain(
      "--comment has no effect outside of GitHub Actions and GitLab CI",
    );
    cli.broker.grader = () => ({ error: { code: "rejected", message: "row 16: unknown species" } });
    expect((await inGithub(SUBMIT)).code).toBe(6);
    expect(api.bodies()[0]).toContain("❌ **rejected**: <code>row 16&#58; unknown species</code>");
  });
});

/** Returns an API whose only comment is `body`. */
async function replace(
  old: CommentsApi,
  start: () => Promise<CommentsApi>,
  body: string,
): Promise<CommentsApi> {
  await old[Symbol.asyncDispose]();
  const next = await start();
  next.add(body);
  return next;
}
