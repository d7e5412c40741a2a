import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { startBroker, type TestBroker } from "../../broker/test/support/test-broker.ts";
import { Challenge } from "../../cli/src/index.ts";
import { type Run, runCli } from "../../cli/test/run-cli.ts";
import { startScriptedBroker } from "../../cli/test/scripted-broker.ts";
import { root } from "../../scripts/lib/root.ts";
import { type CiIssuer, githubClaims, gitlabClaims, startCiIssuer } from "../ci-issuer.ts";

let issuer: CiIssuer;
let gitlab: CiIssuer;
let test: TestBroker;
let folder: string;

beforeAll(async () => {
  issuer = await startCiIssuer();
  gitlab = await startCiIssuer();
  gitlab.claims = gitlabClaims();
  test = await startBroker({
    env: {
      CI_ISSUERS: `github=${issuer.url} gitlab=${gitlab.url}`,
      CI_LOOPBACK_ISSUERS: "on",
      CI_SESSION_SECONDS: "4",
    },
  });
  await runAs("ci", "trust", "github:octo/iris@main");
});
beforeEach(async () => {
  issuer.claims = githubClaims();
  folder = await mkdtemp(join(tmpdir(), "crowdai-ci-"));
  return () => rm(folder, { recursive: true, force: true });
});
afterAll(async () => {
  await test?.close();
  await issuer?.[Symbol.asyncDispose]();
  await gitlab?.[Symbol.asyncDispose]();
});

const place = () => ({ CROWDAI_BROKER: test.broker.url, CROWDAI_CHALLENGE: "test" });
/** Runs a command with the participant's own key. */
const runAs = (...args: string[]): Promise<Run> =>
  runCli(args, { cwd: tmpdir(), env: { ...place(), CROWDAI_API_KEY: test.key } });
/** Runs a command in a job without a key. */
const inJob = (args: string[], env: Record<string, string> = issuer.githubJob): Promise<Run> =>
  runCli(args, { cwd: folder, env: { ...place(), ...env } });

it("lets a GitHub job submit without a key, as a process", async () => {
  await writeFile(join(folder, "score.csv"), "0.75");
  const [code, stdout, stderr] = await new Promise<[number, string, string]>((resolve) => {
    const child = execFile(
      process.execPath,
      [join(root, "cli/bin/crowdai.js"), "submit", "score.csv", "--no-code", "--format", "json"],
      { cwd: folder, env: { PATH: process.env.PATH, HOME: folder, ...place(), ...issuer.githubJob } },
      (_, out, err) => resolve([child.exitCode ?? -1, out, err]),
    );
  });
  expect([code, stderr.replaceAll(/^::add-mask::.*$/gm, "")]).toEqual([
    0,
    expect.not.stringContaining("crowdai_"),
  ]);
  expect(JSON.parse(stdout)).toMatchObject({ submission: { state: "graded", score: 0.75 } });
});

it("says at `whoami` which trust the session came from, and until when", async () => {
  const { code, stdout, stderr } = await inJob(["whoami", "--format", "json"]);
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({
    code: 0,
    participant: { name: "ada" },
    key_source: "CI trust github:octo/iris@refs/heads/main",
    ci: { repository: "octo/iris", ref: "refs/heads/main", expires_at: expect.any(String) },
  });
  expect(stderr).toContain("as a CI job: octo/iris, refs/heads/main");
});

it("prefers a key to the job's token", async () => {
  const before = issuer.requests.length;
  const { stdout } = await inJob(["whoami", "--format", "json"], {
    ...issuer.githubJob,
    CROWDAI_API_KEY: test.key,
  });
  expect(JSON.parse(stdout)).toMatchObject({ key_source: "CROWDAI_API_KEY", ci: null });
  expect(issuer.requests).toHaveLength(before);
});

it("replaces the session of a submission that waits for longer than it lasts", async () => {
  const hold = join(folder, "hold");
  const before = issuer.requests.filter((path) => path === "/request").length;
  const waiting = inJob([
    "submit",
    "--json",
    JSON.stringify({ score: 1, hold }),
    "--no-code",
    "--format",
    "json",
  ]);
  await new Promise((resolve) => setTimeout(resolve, 5000));
  await writeFile(hold, "");
  const { code, stdout } = await waiting;
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, submission: { state: "graded" } });
  expect(issuer.requests.filter((path) => path === "/request").length).toBeGreaterThan(before + 1);
});

it("refuses a job that no one trusts, and says how to trust it", async () => {
  issuer.claims = githubClaims("octo/wine");
  const { code, stderr } = await inJob(["submit", "--json", "1", "--no-code"]);
  expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining("ci_not_trusted") });
  expect(stderr).toContain("crowdai ci trust github:octo/wine");
  const board = await inJob(["leaderboard"]);
  expect(board).toMatchObject({ code: 0, stderr: expect.stringContaining("Continuing without an account") });
});

it("says what a GitHub or GitLab job without a token lacks", async () => {
  const github = await inJob(["whoami"], { GITHUB_ACTIONS: "true", GITHUB_REPOSITORY: "octo/iris" });
  expect(github).toMatchObject({ code: 3, stderr: expect.stringContaining("id-token: write") });
  expect(github.stderr).toContain("crowdai ci trust github:octo/iris");
  const job = await inJob(["whoami"], { GITLAB_CI: "true", CI_PROJECT_PATH: "group/iris" });
  expect(job.stderr).toContain("crowdai ci trust gitlab:group/iris");
});

it("blames the CI system where it issues no token", async () => {
  const env = { ...issuer.githubJob, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "outdated" };
  const { code, stderr } = await inJob(["whoami"], env);
  expect({ code, stderr }).toEqual({ code: 5, stderr: expect.stringContaining("ci_token_unavailable") });
  expect(stderr).toContain("answered with status 401");
  expect(stderr).not.toContain("outdated");
});

it("says that a broker is too old", async () => {
  await using old = await startScriptedBroker();
  const { code, stderr } = await inJob(["whoami"], { ...issuer.githubJob, CROWDAI_BROKER: old.url });
  expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining("too old") });
});

it("lets all commands of a GitLab job use its one token, which stays unreadable on disk", async () => {
  await runAs("ci", "trust", "gitlab:group/iris");
  const job = { GITLAB_CI: "true", CROWDAI_ID_TOKEN: await gitlab.sign(test.broker.url) };
  const first = await inJob(["submit", "--json", '{"score":0.5}', "--no-code", "--format", "json"], job);
  expect(JSON.parse(first.stdout)).toMatchObject({ submission: { state: "graded", score: 0.5 } });
  const second = await inJob(["whoami", "--format", "json"], job);
  expect(JSON.parse(second.stdout)).toMatchObject({ ci: { repository: "group/iris" } });

  const stored = join(folder, "user", "ci-sessions");
  const [name] = await readdir(stored);
  expect((await stat(join(stored, name!))).mode & 0o777).toBe(0o600);
  expect(await readFile(join(stored, name!), "latin1")).not.toContain("crowdai_");
  const elsewhere = await runCli(["whoami"], {
    cwd: tmpdir(),
    env: { ...place(), ...job, HOME: folder, CROWDAI_CONFIG_DIR: join(folder, "other") },
  });
  expect(elsewhere).toMatchObject({ code: 3, stderr: expect.stringContaining("ci_token_used") });
});

it("serves the library in a job too", async () => {
  for (const [name, value] of Object.entries({ ...place(), ...issuer.githubJob, CROWDAI_CONFIG_DIR: folder }))
    vi.stubEnv(name, value);
  vi.stubEnv("CROWDAI_API_KEY", undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
  const challenge = await Challenge.open();
  try {
    const { score } = await challenge.submit({ score: 0.25 }, { code: false });
    expect(score).toBe(0.25);
  } finally {
    challenge.close();
  }
});

it("lists trusts and withdraws them", async () => {
  await runAs("ci", "trust", "github:octo/listed@refs/tags/v*");
  const listed = JSON.parse((await runAs("ci", "list", "--format", "json")).stdout);
  expect(listed.trusts).toContainEqual(
    expect.objectContaining({ subject: "github:octo/listed@refs/tags/v*", active: true }),
  );
  expect((await runAs("ci", "untrust", "github:octo/listed@refs/tags/v*")).code).toBe(0);
  const gone = await runAs("ci", "untrust", "github:octo/listed@refs/tags/v*");
  expect(gone).toMatchObject({ code: 2, stderr: expect.stringContaining("You do not trust") });
  const bad = await runAs("ci", "trust", "github:octo");
  expect(bad).toMatchObject({ code: 2, stderr: expect.stringContaining("is not a repository") });
  expect((await runAs("ci", "trust")).stderr).toContain("needs a subject");
  const job = await inJob(["ci", "trust", "github:mallory/iris"]);
  expect(job).toMatchObject({ code: 3, stderr: expect.stringContaining("not_allowed") });
});
