import { execFile } from "node:child_process";
import { appendFile, chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { CrowdaiError } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allowedMs } from "../../../../test/allowed-ms.ts";
import { createGit, type Git } from "../git/git.ts";
import type { CodeHost, HostedRepository } from "./code-host.ts";
import { createGithubHost } from "./github.ts";
import { createGitlabHost } from "./gitlab.ts";
import { REPOSITORY_MARK } from "./hosted-repository-name.ts";
import { startFakeGithub } from "./testing/fake-github.ts";
import { startFakeGitlab } from "./testing/fake-gitlab.ts";
import { makeBare, readRefs } from "./testing/git-backend.ts";
import type { HostAnswer, LocalHost } from "./testing/serve-host.ts";

const exec = promisify(execFile);
const PRIVATE: HostedRepository = { challenge: "iris", participant: "ada", edition: "private" };
const PUBLIC: HostedRepository = { ...PRIVATE, edition: "public" };

interface Times {
  answerMs?: number;
  pushMs?: number;
  againMs?: number;
  place?: string;
}

/** A host, and what others may do there without the broker. */
interface Both {
  local: LocalHost;
  open(git: Git, times?: Times): CodeHost;
  /** Where the host's repositories are on disk. */
  path(name: string): string;
  put(name: string, description: string, change?: { archived?: boolean; isPublic?: boolean }): Promise<void>;
  isPublic(name: string): boolean | undefined;
  /** Whether the host runs pushed code. */
  runs(name: string): boolean | undefined;
  limited: [HostAnswer, number][];
  forbidden: HostAnswer;
  tokenName: string;
  placeName: string;
}

async function github(): Promise<Both> {
  const local = await startFakeGithub();
  const said = (message: string) => ({ message, documentation_url: "https://docs.github.com/rest" });
  const date = new Date().toUTCString();
  const reset = String(Date.parse(date) / 1000 + 1200);
  return {
    local,
    open: (git, { place = local.org, ...times } = {}) =>
      createGithubHost({
        apiUrl: local.apiUrl,
        org: place,
        token: local.token,
        git,
        againMs: 1,
        paced: false,
        ...times,
      }),
    path: (name) => join(local.folder, local.org, `${name}.git`),
    async put(name, description, { archived = false, isPublic = false } = {}) {
      if (!local.repositories.has(name)) await makeBare(local.folder, `${local.org}/${name}.git`);
      local.repositories.set(name, { name, description, private: !isPublic, archived, actions: true });
    },
    isPublic: (name) => local.repositories.get(name)?.private === false,
    runs: (name) => local.repositories.get(name)?.actions,
    limited: [
      [
        {
          status: 403,
          body: said("API rate limit exceeded for user ID 1."),
          headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset, date },
        },
        1200,
      ],
      [
        {
          status: 403,
          body: said("You have exceeded a secondary rate limit."),
          headers: { "retry-after": "90" },
        },
        90,
      ],
      [{ status: 403, body: said("You have exceeded a secondary rate limit.") }, 60],
      [{ status: 429, body: said("Too many"), headers: { "retry-after": "30" } }, 30],
      [{ status: 429, body: said("Too many"), headers: { "retry-after": "999999999" } }, 3600],
      [{ status: 503, body: said("Unavailable"), headers: { "retry-after": "120" } }, 120],
    ],
    forbidden: { status: 403, body: said("Resource not accessible by personal access token") },
    tokenName: "GITHUB_TOKEN",
    placeName: "GITHUB_ORG",
  };
}

async function gitlab(): Promise<Both> {
  const local = await startFakeGitlab();
  return {
    local,
    open: (git, { place = local.group, ...times } = {}) =>
      createGitlabHost({ url: local.url, group: place, token: local.token, git, ...times }),
    path: (name) => join(local.folder, local.group, `${name}.git`),
    async put(name, description, { archived = false, isPublic = false } = {}) {
      if (!local.projects.has(name)) await makeBare(local.folder, `${local.group}/${name}.git`);
      const visibility = isPublic ? "public" : "private";
      const rest = { builds_access_level: "enabled", marked_for_deletion_on: null };
      local.projects.set(name, { id: 99, name, path: name, description, visibility, archived, ...rest });
    },
    isPublic: (name) => local.projects.get(name)?.visibility === "public",
    runs: (name) => local.projects.get(name)?.builds_access_level !== "disabled",
    limited: [
      [{ status: 429, body: { message: "Too many requests" }, headers: { "retry-after": "45" } }, 45],
      [
        {
          status: 429,
          body: { message: "Too many requests" },
          headers: {
            "ratelimit-remaining": "0",
            "ratelimit-reset": String(Math.ceil(Date.now() / 1000) + 600),
          },
        },
        600,
      ],
      [{ status: 429, body: "Retry later\n", headers: { "content-type": "text/plain" } }, 60],
      [{ status: 503, body: { message: "Unavailable" }, headers: { "retry-after": "120" } }, 120],
    ],
    forbidden: { status: 403, body: { message: "403 Forbidden" } },
    tokenName: "GITLAB_TOKEN",
    placeName: "GITLAB_GROUP",
  };
}

describe.each([
  ["GitHub", github],
  ["GitLab", gitlab],
] as const)("failures at %s", (_name, start) => {
  let folder: string;
  let bare: string;
  let git: Git;
  let both: Both;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-faults-"));
    bare = join(folder, "ada.git");
    // Every git process of the broker appends its arguments here.
    const wrapper = join(folder, "git");
    const real = (await exec("sh", ["-c", "command -v git"])).stdout.trim();
    await writeFile(wrapper, `#!/bin/sh\nprintf '%s\\n' "$*" >> ${folder}/called\nexec ${real} "$@"\n`);
    await chmod(wrapper, 0o755);
    await appendFile(join(folder, "called"), "");
    [both, git] = await Promise.all([
      start(),
      createGit({ path: `${folder}:${process.env.PATH}`, atOnce: 4 }),
    ]);
    await makeBare(folder, "ada.git");
    const env = {
      ...process.env,
      GIT_AUTHOR_NAME: "a",
      GIT_AUTHOR_EMAIL: "a@b",
      GIT_COMMITTER_NAME: "a",
      GIT_COMMITTER_EMAIL: "a@b",
    };
    const at = { cwd: bare, env };
    const tree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
    await exec("git", ["hash-object", "-t", "tree", "-w", "/dev/null"], at);
    const made = (await exec("git", ["commit-tree", tree, "-m", "one"], at)).stdout.trim();
    await exec("git", ["update-ref", "refs/heads/main", made], at);
  });
  afterEach(async () => {
    await Promise.all([both.local.close(), git.close()]);
    await rm(folder, { recursive: true, force: true });
    expect(both.local.wrong).toEqual([]);
  });

  const failing = (work: Promise<unknown>): Promise<CrowdaiError> =>
    work.then(
      () => {
        throw new Error("expected a failure");
      },
      (error) => error,
    );
  const UNREACHABLE = { code: "code_host_unreachable" };
  const REFUSED = { code: "code_host_refused" };
  const all = (host: CodeHost) => [
    () => host.ensure(PRIVATE),
    () => host.mirror(PRIVATE, bare),
    () => host.publish(PUBLIC),
    () => host.remove(PUBLIC),
  ];

  it("a host that is down, silent or broken is reported as unreachable, and each call ends", async () => {
    const unlimited = both.open(git);
    await unlimited.ensure(PRIVATE);
    const host = both.open(git, { answerMs: 300, pushMs: 1500 });
    for (const trouble of ["down", "silent", "broken"] as const) {
      both.local.trouble = trouble;
      for (const call of all(host)) expect(await failing(call()), trouble).toMatchObject(UNREACHABLE);
    }
    both.local.trouble = "none";
    await unlimited.ensure(PRIVATE);
    await unlimited.mirror(PRIVATE, bare);
  });

  it("the waits of a host that keeps failing do not grow", async () => {
    const host = both.open(git, { againMs: 1000 });
    both.local.trouble = "broken";
    const start = performance.now();
    for (let calls = 0; calls < 3; calls++)
      expect(await failing(host.ensure(PRIVATE))).toMatchObject(UNREACHABLE);
    expect(performance.now() - start).toBeLessThan(allowedMs(12_000));
  });

  it("a response of a proxy in between is not taken for the host's", async () => {
    const host = both.open(git);
    both.local.trouble = "html";
    for (const call of all(host)) expect(await failing(call())).toMatchObject(UNREACHABLE);
    // A 404 that does not come from the host creates no repository.
    both.local.trouble = { status: 404, body: "<html>not here</html>" };
    expect(await failing(host.ensure(PRIVATE))).toMatchObject(UNREACHABLE);
    both.local.trouble = { status: 403, body: "<html>blocked</html>" };
    expect(await failing(host.ensure(PRIVATE))).toMatchObject(UNREACHABLE);
    expect(both.local.seen.filter(({ url }) => /\/(?:repos|projects)$/.test(url))).toEqual([]);
  });

  it("a rejected token is reported by its variable, and works once the host accepts it again", async () => {
    const host = both.open(git);
    await host.ensure(PRIVATE);
    both.local.trouble = "forgetful";
    for (const call of all(host)) {
      const error = await failing(call());
      expect(error).toMatchObject({ ...REFUSED, next: expect.stringContaining(both.tokenName) });
      expect(error.message).toContain("rejected the token");
    }
    both.local.trouble = "none";
    await host.mirror(PRIVATE, bare);
  });

  it("a host that asks to wait receives no request until then, and callers learn the time", async () => {
    for (const [answer, seconds] of both.limited) {
      const host = both.open(git);
      both.local.trouble = answer;
      both.local.seen.length = 0;
      const error = await failing(host.ensure(PRIVATE));
      expect(error).toMatchObject(UNREACHABLE);
      const asked = error.details?.retry_after_seconds as number;
      expect(Math.abs(asked - seconds), `${asked}`).toBeLessThan(5);
      const again = await failing(host.ensure(PUBLIC));
      expect(again).toMatchObject(UNREACHABLE);
      expect(again.details?.retry_after_seconds).toBeGreaterThan(seconds - 10);
      expect(both.local.seen).toHaveLength(1);
    }
    const host = both.open(git);
    both.local.trouble = "none";
    both.local.gitTrouble = { status: 429, body: "slow down" };
    await host.ensure(PRIVATE);
    expect(await failing(host.mirror(PRIVATE, bare))).toMatchObject({
      ...UNREACHABLE,
      details: { retry_after_seconds: 60 },
    });
  });

  it("a token without permission and a missing namespace are refused with advice", async () => {
    const host = both.open(git);
    both.local.trouble = both.forbidden;
    expect(await failing(host.ensure(PRIVATE))).toMatchObject({
      ...REFUSED,
      next: expect.stringMatching(/The token needs/),
    });
    both.local.trouble = "none";
    const elsewhere = both.open(git, { place: "missing" });
    expect(await failing(elsewhere.ensure(PRIVATE))).toMatchObject({
      ...REFUSED,
      next: expect.stringContaining(both.placeName),
    });
  });

  it("a repository that the broker did not create is neither pushed to, published nor removed", async () => {
    const host = both.open(git);
    await both.put("iris.ada.private", "My own things");
    await both.put("iris.ada", "My own things");
    for (const repository of [PRIVATE, PUBLIC])
      expect(await failing(host.ensure(repository))).toMatchObject({
        ...REFUSED,
        next: expect.stringContaining("Rename it"),
      });
    expect(await failing(host.publish(PUBLIC))).toMatchObject(REFUSED);
    expect(await failing(host.remove(PUBLIC))).toMatchObject(REFUSED);
    expect(both.isPublic("iris.ada")).toBe(false);
    expect(both.local.asked.filter((what) => what.startsWith("git "))).toEqual([]);
  });

  it("an archived repository is refused until it is unarchived", async () => {
    const host = both.open(git);
    await both.put("iris.ada.private", REPOSITORY_MARK, { archived: true });
    expect(await failing(host.ensure(PRIVATE))).toMatchObject({ ...REFUSED, next: "Unarchive it." });
    expect(await failing(host.mirror(PRIVATE, bare))).toMatchObject(REFUSED);
    await both.put("iris.ada.private", REPOSITORY_MARK);
    await host.ensure(PRIVATE);
    await host.mirror(PRIVATE, bare);
  });

  it("a private repository that was made public is private again before the next push", async () => {
    const host = both.open(git);
    await both.put("iris.ada.private", REPOSITORY_MARK, { isPublic: true });
    await host.ensure(PRIVATE);
    expect(both.isPublic("iris.ada.private")).toBe(false);
  });

  it("no pushed code is run there", async () => {
    const host = both.open(git);
    await host.ensure(PRIVATE);
    await both.put("iris.ada", REPOSITORY_MARK);
    await host.ensure(PUBLIC);
    expect([both.runs("iris.ada.private"), both.runs("iris.ada")]).toEqual([false, false]);
  });

  it("private code is never published", async () => {
    const host = both.open(git);
    await host.ensure(PRIVATE);
    expect(await failing(host.publish(PRIVATE))).toMatchObject({ code: "unexpected" });
    expect(both.isPublic("iris.ada.private")).toBe(false);
  });

  it("a push rejected by a rule of the host is reported in the rule's words", async () => {
    const host = both.open(git);
    await host.ensure(PRIVATE);
    const hook = join(both.path("iris.ada.private"), "hooks/pre-receive");
    await writeFile(hook, "#!/bin/sh\necho 'error: GH013: Repository rule violations found' >&2\nexit 1\n");
    await chmod(hook, 0o755);
    const error = await failing(host.mirror(PRIVATE, bare));
    expect(error).toMatchObject(REFUSED);
    expect(error.message).toContain("GH013: Repository rule violations found");
    await rm(hook);
    await host.mirror(PRIVATE, bare);
  });

  it("a repository that was deleted there is created again", async () => {
    const host = both.open(git);
    await host.ensure(PRIVATE);
    await host.mirror(PRIVATE, bare);
    await both.open(git).remove(PRIVATE);
    expect(await failing(host.mirror(PRIVATE, bare))).toMatchObject(UNREACHABLE);
    await host.ensure(PRIVATE);
    await host.mirror(PRIVATE, bare);
  });

  it("the token is in no address, command line, file, name or error", async () => {
    const host = both.open(git);
    await host.ensure(PRIVATE);
    await host.mirror(PRIVATE, bare);
    both.local.trouble = {
      ...both.forbidden,
      body: { message: `no ${both.local.token}`, documentation_url: "" },
    };
    const error = await failing(host.ensure(PRIVATE));
    const { token } = both.local;
    const basic = (user: string) => Buffer.from(`${user}:${token}`).toString("base64");
    const called = await readFile(join(folder, "called"), "utf8");
    expect(called).toContain("push");
    const texts = [
      called,
      await readFile(join(bare, "config"), "utf8"),
      both.local.seen.map(({ url }) => url).join("\n"),
      host.name,
      host.cloneUrl(PRIVATE),
      JSON.stringify(error.toBody()),
      String(error.stack),
    ];
    for (const secret of [token, basic("x-access-token"), basic("oauth2")])
      for (const each of texts) expect(each).not.toContain(secret);
    expect(await readRefs(host.cloneUrl(PRIVATE), null).catch(() => null)).toBeNull();
  });
});
