import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Author, agreed, author } from "../../broker/test/code/code-author.ts";
import { createPlainGit, type PlainGit } from "../../broker/test/code/plain-git.ts";
import { runCommand } from "../../broker/test/support/run-command.ts";
import { startBroker, type TestBroker } from "../../broker/test/support/test-broker.ts";
import { until } from "../../broker/test/support/until.ts";
import { runCli, temporaryFolder } from "../../cli/test/run-cli.ts";

const exec = promisify(execFile);
const TERMINAL = { stdin: true, stdout: true, stderr: true };

describe("code on the command line", { timeout: 300_000 }, () => {
  let broker: TestBroker;
  let git: PlainGit;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let ada: Author;
  beforeEach(async () => {
    [broker, git, folder] = await Promise.all([startBroker(), createPlainGit(), temporaryFolder()]);
    ada = author(broker, git);
  });
  afterEach(async () => {
    await Promise.all([broker.close(), git.close()]);
    await folder[Symbol.asyncDispose]();
  });
  const run = (
    args: string[],
    options: Partial<Parameters<typeof runCli>[1]> & { key?: string | null } = {},
  ) =>
    runCli(args, {
      cwd: folder.path,
      ...options,
      env: {
        PATH: process.env.PATH,
        CROWDAI_BROKER: broker.broker.url,
        CROWDAI_API_KEY: options.key === null ? undefined : (options.key ?? broker.key),
        ...options.env,
      },
    });
  const close = () =>
    runCommand(broker.folder, [
      ...["challenge", "close", "test", "--force"],
      ...["--data", join(broker.folder, "data"), "--challenges", join(broker.folder, "challenges")],
    ]);
  const inClone = async (name: string, ...args: string[]) => {
    const env = { PATH: process.env.PATH, HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1" };
    return (await exec("git", args, { cwd: join(folder.path, name), env })).stdout.trimEnd();
  };

  it("publishes and takes back, and says what to do next", async () => {
    const id = await ada.handIn({ "a.py": "1\n" });
    const refused = await run(["publish", id]);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain("error[agreement_missing]");
    expect(refused.stderr).toContain(`${broker.broker.url}/agreement/mit`);
    expect(refused.stderr).toContain("`crowdai agree`");
    expect((await run(["publish", id, "--format", "json"], { tty: TERMINAL })).code).toBe(3);
    expect(await ada.view(id)).toMatchObject({ publish: false });

    await agreed(broker);
    for (let again = 0; again < 2; again++) {
      const { code, stdout, stderr } = await run(["publish", id]);
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: `The code of ${id} will be published under the MIT license when test closes.\n`,
      });
      expect(stderr).toContain(`crowdai unpublish ${id}`);
      expect(stderr).toContain(`next: crowdai show ${id}`);
    }
    expect((await run(["show", id])).stdout).toMatch(/Published: +when the challenge closes/);
    const taken = await run(["unpublish", id, "--format", "json"]);
    expect(JSON.parse(taken.stdout)).toMatchObject({ id, publish: false, published_at: null });
    await run(["publish", id]);
    expect((await close()).stdout).toMatch(/^test closed on .*: 1 submission of 1 participant is public\n/);
    expect((await run(["publish", id])).stdout).toContain("was published under the MIT license on");
    const late = await run(["unpublish", id]);
    expect(late.code).toBe(4);
    expect(late.stderr).toContain("error[challenge_closed]");
    expect((await run(["show", id])).stdout).toMatch(
      new RegExp(`Code: +submission-${id} .*/code/test/ada\\.git`),
    );
  });

  it("asks on a terminal for the agreement that publishing needs", async () => {
    const id = await ada.handIn({ "a.py": "1\n" });
    const no = await run(["publish", id], { tty: TERMINAL, keys: ["\r"] });
    expect(no.code).toBe(3);
    expect(await ada.view(id)).toMatchObject({ publish: false });
    const yes = await run(["publish", id], { tty: TERMINAL, keys: ["y"] });
    expect(yes).toMatchObject({ code: 0 });
    expect(yes.stderr).toContain("Permission is hereby granted");
    expect(await ada.view(id)).toMatchObject({ publish: true });
    expect((await run(["publish", id], { tty: TERMINAL })).stderr).not.toContain("Permission");
  });

  it("is chosen with `submit --publish`, which asks before anything is sent, and refuses without a terminal", async () => {
    await writeFile(join(folder.path, "predict.py"), "print(1)\n");
    await writeFile(join(folder.path, "crowdai.json"), JSON.stringify({ challenge_id: "test" }));
    const submit = (options: Parameters<typeof run>[1] = {}) =>
      run(["submit", "--json", '{"score": 0.5}', "--publish"], options);
    const refused = await submit();
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain("error[agreement_missing]");
    expect(refused.stderr).toContain(`${broker.broker.url}/agreement/mit`);
    expect((await submit({ tty: TERMINAL, keys: ["\r"] })).code).toBe(3);
    expect(await broker.records.db.selectFrom("submissions").selectAll().execute()).toEqual([]);

    const done = await submit({ tty: TERMINAL, keys: ["y"] });
    expect(done.code, done.stderr).toBe(0);
    const rows = await broker.records.db.selectFrom("submissions").select(["id", "publish"]).execute();
    expect(rows).toMatchObject([{ publish: 1 }]);
    await until(async () => (await ada.view(rows[0]!.id)).code?.tag);
    await close();
    const cloned = await run(["clone", rows[0]!.id, "public"], { key: null });
    expect(cloned.code, cloned.stderr).toBe(0);
    expect(await readFile(join(folder.path, "public/predict.py"), "utf8")).toBe("print(1)\n");
  });

  it("shows what changed between two submissions", async () => {
    const one = await ada.handIn({ "a.py": "x = 1\ny = 2\n", gone: "g\n", "old name": "same\nsame\nsame\n" });
    const two = await ada.handIn({
      "a.py": "x = 2\ny = 2\n",
      "new name": "same\nsame\nsame\n",
      "bin/b": "\u0000\u0001",
      "esc.txt": "\u001b[2J\n",
      ".gitattributes": "*.py binary diff=evil -diff\n",
    });
    const { code, stdout, stderr } = await run(["diff", one, two]);
    expect(code).toBe(0);
    expect(stdout).toContain("diff --git a/a.py b/a.py\n");
    expect(stdout).toContain("@@ -1,2 +1,2 @@\n-x = 1\n+x = 2\n y = 2\n");
    expect(stderr).toContain(`next: crowdai clone ${two}`);
    const names = await run(["diff", one, two, "--name-only"]);
    expect(names.stdout.split("\n").sort()).toEqual(
      ["", ".gitattributes", "a.py", "bin/b", "esc.txt", "gone", "new name"].sort(),
    );
    const stat = (await run(["diff", one, two, "--stat"])).stdout;
    expect(stat).toMatch(/^old name => new name +\| \+0 -0$/m);
    expect(stat).toMatch(/^bin\/b +\| binary$/m);
    expect(stat).toMatch(/^6 files changed, \+3 -2$/m);
    const json = JSON.parse((await run(["diff", one, two, "--format", "json"])).stdout);
    expect(json.diff).toMatchObject({ from: one, to: two, patch: stdout, truncated: false });

    const colored = await run(["diff", one, two], { tty: TERMINAL, env: { TERM: "xterm" } });
    expect(colored.stdout).toContain("\u001b[32m+x = 2\u001b[39m");
    expect(colored.stdout).toContain("\\x1b[2J");
    expect(colored.stdout).not.toContain("\u001b[2J");
    expect((await run(["diff", one, two], { tty: TERMINAL, env: { NO_COLOR: "1" } })).stdout).not.toContain(
      "\u001b",
    );
    expect((await run(["diff", two, two])).stderr).toContain("The code of both submissions is identical.");
    await writeFile(join(folder.path, "a.py"), "x = 1\ny = 2\n");
    const applied = await git.run(["apply", "--include=a.py", "-"], { dir: folder.path, input: stdout });
    expect(applied.code, applied.stderr).toBe(0);
    expect(await readFile(join(folder.path, "a.py"), "utf8")).toBe("x = 2\ny = 2\n");
  });

  it("lets others read the code of published submissions alone", async () => {
    const key = await broker.addParticipant("grace");
    const grace = author(broker, git, key);
    await agreed(broker, 2);
    const hidden = await grace.handIn({ a: "hidden\n" });
    const shown = await grace.handIn({ a: "shown\n" });
    const mine = await ada.handIn({ a: "mine\n" });
    await run(["publish", shown], { key });
    for (const args of [
      ["diff", mine, shown],
      ["diff", hidden, mine],
      ["clone", shown],
      ["fork", shown],
    ]) {
      const { code, stderr } = await run(args);
      expect(code, args.join(" ")).toBe(2);
      expect(stderr).toContain("error[code_unavailable]");
    }
    await close();
    expect((await run(["diff", mine, shown])).stdout).toContain("-mine\n+shown\n");
    for (const args of [
      ["diff", mine, hidden],
      ["diff", hidden, shown],
      ["clone", hidden],
    ])
      expect((await run(args)).stderr).toContain("error[code_unavailable]");
    const anybody = await run(["clone", shown, "hers"], { key: null });
    expect(anybody).toMatchObject({ code: 0, stdout: `${join(folder.path, "hers")}\n` });
    expect(await readFile(join(folder.path, "hers/a"), "utf8")).toBe("shown\n");
    expect(await readFile(join(folder.path, "hers/LICENSE"), "utf8")).toContain(
      "Permission is hereby granted",
    );
    expect((await run(["diff", shown, shown], { key: null })).code).toBe(0);
  });

  it("clones a submission of one's own without leaving the key anywhere, and runs nothing", async () => {
    const first = await ada.handIn({ "a.py": "1\n", ".gitattributes": "* filter=evil\n" });
    await ada.handIn({ "a.py": "2\n" });
    const home = join(folder.path, "home");
    await mkdir(join(home, "hooks"), { recursive: true });
    const touch = `${join(folder.path, "touched")}`;
    await writeFile(join(home, "hooks/post-checkout"), `#!/bin/sh\ntouch ${touch}\n`, { mode: 0o755 });
    await writeFile(
      join(home, ".gitconfig"),
      `[core]\n\thooksPath = ${join(home, "hooks")}\n[filter "evil"]\n\tsmudge = touch ${touch}; cat\n\trequired\n`,
    );
    const cloned = await run(["clone", first], { env: { HOME: home } });
    expect(cloned).toMatchObject({ code: 0, stdout: `${join(folder.path, `test-${first}`)}\n` });
    expect(cloned.stderr).toContain(`next: cd test-${first}`);
    expect(await readFile(join(folder.path, `test-${first}`, "a.py"), "utf8")).toBe("1\n");
    expect(await readdir(folder.path)).not.toContain("touched");
    expect(await inClone(`test-${first}`, "describe", "--tags", "--exact-match")).toBe(`submission-${first}`);
    expect(await inClone(`test-${first}`, "status", "--porcelain")).toBe("");
    expect(await inClone(`test-${first}`, "remote", "-v")).toContain(
      `${broker.broker.url}/code/test/ada.git`,
    );
    const config = await readFile(join(folder.path, `test-${first}`, ".git/config"), "utf8");
    for (const secret of [broker.key, Buffer.from(`crowdai:${broker.key}`).toString("base64")])
      for (const text of [config, cloned.stdout, cloned.stderr]) expect(text).not.toContain(secret);

    const again = await run(["clone", first]);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("error[folder_exists]");
    expect(
      (
        await run(["clone", first, "--quiet", "../../x/../elsewhere"], {
          cwd: join(folder.path, "home/hooks"),
        })
      ).code,
    ).toBe(0);
    expect(await readdir(folder.path)).toContain("elsewhere");
  });

  it("comes back byte for byte, one's own and published, from older trees with attributes too", async () => {
    await agreed(broker);
    // As captured by clients that did not leave such attributes out.
    const older = {
      ".gitattributes": "*.bat text eol=crlf\n*.py ident\n",
      "dos.bat": "a\nb\n",
      "id.py": "# $Id$\n",
    };
    const captured = { ...older, "dos.bat": "a\nb\r\n", "id.py": "# $Id: 0 $\n" };
    const project = join(folder.path, "project");
    await mkdir(project);
    for (const [name, text] of Object.entries(captured)) await writeFile(join(project, name), text);
    const first = await ada.handIn(older);
    const submitted = await run([
      "submit",
      "--json",
      '{"score":1}',
      "--code",
      project,
      "-c",
      "test",
      "--format",
      "json",
    ]);
    const second = JSON.parse(submitted.stdout).id;
    await until(async () => (await ada.view(second)).code?.tag);
    for (const id of [first, second]) expect((await run(["publish", id])).code).toBe(0);

    const expectFiles = async (name: string, files: Record<string, string>) => {
      for (const file of ["dos.bat", "id.py"])
        expect(await readFile(join(folder.path, name, file), "utf8"), `${name}/${file}`).toBe(
          files[file as "id.py"],
        );
      expect(await inClone(name, "status", "--porcelain")).toBe("");
    };
    const cloneBoth = async (key: string | null, name: string) => {
      for (const [id, files] of [
        [first, older],
        [second, captured],
      ] as const) {
        expect((await run(["clone", id, `${name}-${id}`], { key })).code).toBe(0);
        await expectFiles(`${name}-${id}`, files);
      }
    };
    await cloneBoth(broker.key, "own");
    await close();
    await cloneBoth(null, "public");
    const { url, tag } = (await ada.view(second)).code!;
    await inClone(".", "clone", "-q", "--branch", tag!, url!, "plain");
    await expectFiles("plain", captured);
  });

  it("takes away what it began when a clone fails", async () => {
    const id = await ada.handIn({ a: "1\n" });
    const proxied = await run(["clone", id, "broken"], {
      env: { http_proxy: "http://127.0.0.1:1", NO_PROXY: "" },
    });
    expect(proxied.code).not.toBe(0);
    expect(await readdir(folder.path)).not.toContain("broken");
    const { submission } = await (await broker.connect()).submit({
      input: { kind: "inline", data: { score: 1 } },
    });
    expect((await run(["clone", submission.id])).stderr).toContain("was submitted without code");
  });

  it("forks the latest submission as a clone with its remotes set", async () => {
    expect((await run(["fork"])).stderr).toContain("You have no submission with code.");
    await ada.handIn({ a: "1\n" });
    const id = await ada.handIn({ a: "2\n" });
    const forked = await run(["fork", "--remote", "git@example.org:ada/iris.git"]);
    expect(forked).toMatchObject({ code: 0, stdout: `${join(folder.path, `test-${id}`)}\n` });
    expect(forked.stderr).toContain(`next: git -C test-${id} push -u mine main`);
    expect(await inClone(`test-${id}`, "branch", "--show-current")).toBe("main");
    expect(await inClone(`test-${id}`, "remote")).toBe("mine\norigin");
    expect(await inClone(`test-${id}`, "remote", "get-url", "mine")).toBe("git@example.org:ada/iris.git");
    expect((await run(["fork", id, "--dir", "x"])).stderr).toContain("remote add mine");
    expect((await run(["fork", id, "--remote", "--upload-pack=touch x"])).code).toBe(2);
  });
});

describe("crowdai fork at a code host", () => {
  const place = {
    submission: "abcdefgh",
    challenge: "iris",
    participant: "ada",
    own: false,
    published_at: "2026-01-01T00:00:00Z",
    tag: "submission-abcdefgh",
    page_url: null,
  };

  /** A broker that names a repository at this very address, and the part of each host's API that forks. */
  async function startHost(kind: "github" | "gitlab", answer: { status: number; body: unknown } | null) {
    const received: { method: string; url: string; headers: http.IncomingHttpHeaders; body: string }[] = [];
    const server = http.createServer(async (request, response) => {
      let body = "";
      for await (const part of request) body += part;
      const { method = "", url = "", headers } = request;
      const at = `http://${headers.host}`;
      const send = (status: number, value: unknown) =>
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
      if (url.endsWith("/code"))
        return send(200, {
          ...place,
          host: kind,
          clone_url: `${at}/crowd/iris-ada.git`,
          fork_url: `${at}/crowd/iris-ada/fork`,
        });
      received.push({ method, url, headers, body });
      if (answer) return send(answer.status, answer.body);
      if (kind === "github" && method === "POST" && url === "/api/v3/repos/crowd/iris-ada/forks")
        return send(202, { html_url: `${at}/me/iris-ada`, clone_url: `${at}/me/iris-ada.git`, id: 1 });
      if (kind === "gitlab" && method === "POST" && url === "/api/v4/projects/crowd%2Firis-ada/fork")
        return send(201, { web_url: `${at}/me/iris-ada`, http_url_to_repo: `${at}/me/iris-ada.git`, id: 1 });
      return send(404, { message: "Not Found" });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return {
      url,
      received,
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }
  async function fork(url: string, env: Record<string, string>) {
    await using folder = await temporaryFolder();
    return runCli(["fork", "abcdefgh"], {
      cwd: folder.path,
      env: { CROWDAI_BROKER: url, PATH: "/nonexistent", ...env },
    });
  }

  it.each([
    ["github", "GITHUB_SERVER_URL", "GH_TOKEN", { authorization: "Bearer own-token" }],
    ["gitlab", "GITLAB_HOST", "GITLAB_TOKEN", { "private-token": "own-token" }],
  ] as const)(
    "uses the participant's own token at %s, only where it belongs",
    async (kind, host, name, header) => {
      await using server = await startHost(kind, null);
      const forked = await fork(server.url, { [host]: server.url, [name]: "own-token" });
      expect(forked).toMatchObject({ code: 0, stdout: `${server.url}/me/iris-ada\n` });
      expect(forked.stderr).toContain(`next: git clone ${server.url}/me/iris-ada.git`);
      expect(server.received).toMatchObject([{ method: "POST", body: "{}", headers: header }]);
      expect(forked.stdout + forked.stderr).not.toContain("own-token");

      // A broker may name any host; a token is for the host that its owner says it is for.
      const elsewhere = await fork(server.url, { [name]: "own-token" });
      expect(elsewhere).toMatchObject({ code: 0, stdout: `${server.url}/crowd/iris-ada/fork\n` });
      expect(server.received).toHaveLength(1);
    },
  );

  it.each(["github", "gitlab"] as const)("says what %s refused, and names the page", async (kind) => {
    await using server = await startHost(kind, { status: 403, body: { message: "Resource not accessible" } });
    const env = { GITHUB_SERVER_URL: server.url, GH_TOKEN: "t", GITLAB_URL: server.url, GITLAB_TOKEN: "t" };
    const refused = await fork(server.url, env);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain("answered 403: Resource not accessible.");
    expect(refused.stderr).toContain(`${server.url}/crowd/iris-ada/fork`);
    await using odd = await startHost(kind, { status: 202, body: { html_url: "javascript:x" } });
    const misunderstood = await fork(odd.url, { ...env, GITHUB_SERVER_URL: odd.url, GITLAB_URL: odd.url });
    expect(misunderstood.stderr).toContain("sent an unexpected answer");
  });

  it("takes the token that `gh` keeps", async () => {
    await using server = await startHost("github", null);
    await using folder = await temporaryFolder();
    await writeFile(
      join(folder.path, "gh"),
      `#!/bin/sh\n[ "$1 $2 $3" = "auth token --hostname" ] && echo kept-by-gh\n`,
      { mode: 0o755 },
    );
    const forked = await fork(server.url, { PATH: `${folder.path}:/bin:/usr/bin` });
    expect(forked.code).toBe(0);
    expect(server.received).toMatchObject([{ headers: { authorization: "Bearer kept-by-gh" } }]);
  });
});
