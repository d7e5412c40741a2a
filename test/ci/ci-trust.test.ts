import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { startBroker, type TestBroker } from "../../broker/test/support/test-broker.ts";
import { type Run, runCli } from "../../cli/test/run-cli.ts";
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
