import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isApiKey } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { VERSION } from "../../src/base/version.ts";
import { runCommand } from "../support/run-command.ts";
import { writeChallenge } from "../support/test-broker.ts";

describe("crowdai-broker", () => {
  let cwd: string;
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), "crowdai-commands-"));
  });
  afterEach(() => rm(cwd, { recursive: true, force: true }));

  const run = (args: string[], env: Record<string, string> = {}, whenReady = (stop: () => void) => stop()) =>
    runCommand(cwd, args, { env, whenReady });

  it("prints its version, which is the package's", async () => {
    expect(VERSION).toBe(manifest.version);
    expect(await run(["--version"])).toMatchObject({ code: 0, stdout: `${VERSION}\n` });
  });

  it("adds a participant with the key alone on stdout, lists and revokes", async () => {
    const added = await run(["participant", "add", "ada"]);
    expect(added).toMatchObject({ code: 0, stderr: "" });
    expect(isApiKey(added.stdout.trim())).toBe(true);
    expect(await run(["participant", "add", "ADA"])).toMatchObject({ code: 2, stdout: "" });
    expect((await run(["participant", "list"])).stdout).toMatch(
      /^1\tada\t0\tactive\t\S{10}\tkey \(added \S{10}, not used yet\)\n$/,
    );
    expect(await run(["participant", "revoke", "ada"])).toMatchObject({
      code: 0,
      stderr: "Revoked 1 key of ada.\n",
    });
    expect(JSON.parse((await run(["participant", "list", "--format", "json"])).stdout)).toMatchObject({
      schema_version: 1,
      participants: [{ id: 1, name: "ada", active: false }],
    });
    expect((await run(["participant", "revoke", "bob"])).code).toBe(2);
  });

  it("issues a new key, revokes the earlier ones, and keeps the participant", async () => {
    const first = (await run(["participant", "add", "ada"])).stdout;
    const again = await run(["participant", "add", "ada"]);
    expect(again.stderr).toContain("crowdai-broker participant key <name>");
    await run(["participant", "revoke", "ada"]);
    const revived = await run(["participant", "key", "ada"]);
    expect(revived).toMatchObject({ code: 0, stderr: "ada had no active key.\n" });
    const replaced = await run(["participant", "key", "Ada"]);
    expect(replaced).toMatchObject({ code: 0, stderr: "Revoked 1 key of Ada.\n" });
    expect(isApiKey(replaced.stdout.trim())).toBe(true);
    expect(new Set([first, revived.stdout, replaced.stdout]).size).toBe(3);
    expect((await run(["participant", "list"])).stdout).toMatch(/^1\tada\t0\tactive\t/);
    expect(await run(["participant", "key", "bob"])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("crowdai-broker participant list"),
    });
  });

  it.each(["", "a", " ada", "ada\n", "a\u0007b", "x".repeat(101)])(
    "refuses %j as a participant's name",
    async (name) => {
      expect(await run(["participant", "add", "--", name])).toMatchObject({ code: 2, stdout: "" });
    },
  );

  it("adds an organizer of the challenges named", async () => {
    const added = await run(["organizer", "add", "org", "--challenges", "iris, mnist"]);
    expect(isApiKey(added.stdout.trim())).toBe(true);
    expect((await run(["organizer", "list"])).stdout).toBe("1\torg\tiris,mnist\tactive\n");
    expect((await run(["organizer", "add", "org2"])).code).toBe(2);
  });

  it("replaces an organizer's key and challenges", async () => {
    await run(["organizer", "add", "org", "--challenges", "iris"]);
    await run(["organizer", "revoke", "org"]);
    const key = await run(["organizer", "key", "org"]);
    expect(key).toMatchObject({ code: 0, stderr: "org had no active key.\n" });
    expect(isApiKey(key.stdout.trim())).toBe(true);
    expect(await run(["organizer", "set", "org", "--challenges", "mnist,double"])).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "org is now the organizer of mnist, double.\n",
    });
    expect((await run(["organizer", "list"])).stdout).toBe("1\torg\tdouble,mnist\tactive\n");
    for (const ids of ["", " , ", "iris;mnist", "../x"])
      expect(await run(["organizer", "set", "org", "--challenges", ids])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("--challenges"),
      });
    expect((await run(["organizer", "set", "stranger", "--challenges", "iris"])).code).toBe(2);
  });

  it("reports every error of a challenge folder, and refuses to start with one", async () => {
    const folder = await writeChallenge(join(cwd, "challenges"));
    expect(await run(["challenge", "check", folder])).toMatchObject({ code: 0 });
    const invalid = {
      title: "",
      score: { order: "up" },
      evaluator: { command: [] },
      rounds: [{ id: "1", limit: { count: "three", per: "day" } }],
      titel: "red",
    };
    await writeFile(join(folder, "challenge.json"), JSON.stringify(invalid));
    for (const command of [
      ["challenge", "check", folder],
      ["start", "--port", "0"],
    ]) {
      const { code, stderr } = await run(command);
      expect(code).toBe(2);
      for (const field of [
        "id",
        "title",
        "score.order",
        "evaluator.command",
        "rounds[0].limit.count",
        "titel",
      ])
        expect(stderr).toContain(field);
    }
  });

  it("warns about public files that participants do not get", async () => {
    const folder = await writeChallenge(join(cwd, "challenges"));
    const names = [
      "train.csv",
      ".npmrc",
      "deep/.envrc",
      ".vscode/tasks.json",
      "node_modules/.bin/tool",
      "deep/package.json",
    ];
    for (const name of names) {
      await mkdir(join(folder, "public", dirname(name)), { recursive: true });
      await writeFile(join(folder, "public", name), "1");
    }
    const { code, stderr } = await run(["challenge", "check", folder]);
    expect({ code, warnings: stderr.match(/^warning: .*$/gm) }).toEqual({
      code: 0,
      warnings: [
        'warning: participants do not get "public/.npmrc": its name starts with a dot.',
        'warning: participants do not get "public/.vscode/": its name starts with a dot.',
        'warning: participants do not get "public/deep/.envrc": its name starts with a dot.',
        'warning: participants do not get "public/deep/package.json": programs obey a file named package.json.',
        'warning: participants do not get "public/node_modules/": programs run what is in a folder named node_modules.',
      ],
    });
  });

  it("prints the implementation behind each port and the address at the start", async () => {
    const { code, stderr } = await run(["start", "--port", "0", "--with-grader"]);
    expect(stderr).not.toContain("error[");
    expect(code).toBe(0);
    expect(stderr).toMatch(/listening on http:\/\/127\.0\.0\.1:\d+/);
    for (const part of ["records", "objects", "queue", "grader", "webapp", "challenges"])
      expect(stderr).toContain(part);
  });

  it("refuses to start on a data folder or a port that is in use", async () => {
    let inner: Awaited<ReturnType<typeof run>>[] = [];
    await new Promise<void>((done) => {
      void run(["start", "--port", "0"], {}, async (stop) => {
        const { url } = JSON.parse(await readFile(join(cwd, "crowdai-data/broker.json"), "utf8"));
        inner = [
          await run(["start", "--port", "0"]),
          await run(["start", "--data", "elsewhere", "--port", new URL(url).port]),
        ];
        stop();
        done();
      });
    });
    expect(inner[0]).toMatchObject({ code: 2, stderr: expect.stringContaining("data_in_use") });
    expect(inner[1]).toMatchObject({ code: 2, stderr: expect.stringContaining("port_in_use") });
  });

  it("refuses the records of one broker with the objects of another", async () => {
    await run(["start", "--port", "0"]);
    await run(["start", "--port", "0", "--data", "second"]);
    await rm(join(cwd, "second/objects"), { recursive: true });
    await cp(join(cwd, "crowdai-data/objects"), join(cwd, "second/objects"), { recursive: true });
    expect(await run(["start", "--port", "0", "--data", "second"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("data_mixed"),
    });
  });

  it("reports all wrong settings at once", async () => {
    const { code, stderr } = await run(["start", "--port", "eighty"], {
      PUBLIC_URL: "not a url",
      LOG_LEVEL: "loud",
    });
    expect(code).toBe(2);
    for (const name of ["--port", "PUBLIC_URL", "LOG_LEVEL"]) expect(stderr).toContain(name);
  });

  it("requires the token of a webapp elsewhere, and leaves participants and their keys to that webapp", async () => {
    const env = { WEBAPP_URL: "https://webapp.example.org/api/" };
    const start = await run(["start", "--port", "0"], env);
    expect(start).toMatchObject({ code: 2, stderr: expect.stringContaining("WEBAPP_TOKEN") });
    const { code, stderr } = await run(["start", "--port", "0"], { ...env, WEBAPP_TOKEN: "secret-token" });
    expect(code).toBe(0);
    expect(stderr).toContain("webapp      webapp.example.org");
    expect(stderr).not.toContain("secret-token");
    for (const command of ["add", "key", "revoke"])
      expect(
        await run(["participant", command, "ada"], { ...env, WEBAPP_TOKEN: "secret-token" }),
      ).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("webapp.example.org") });
  });

  it("suggests the command that was meant", async () => {
    const { code, stderr } = await run(["partcipant", "add", "ada"]);
    expect(code).toBe(2);
    expect(stderr).toContain("participant");
  });
});
