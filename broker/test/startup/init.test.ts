import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../../cli/test/run-cli.ts";
import { readConfig, VARIABLES } from "../../src/base/config.ts";
import { environmentFile } from "../../src/commands/init/environment-file.ts";
import { caddySettings, nginxSettings } from "../../src/commands/init/proxy-files.ts";
import { runCommand } from "../support/run-command.ts";
import { startBroker } from "../support/test-broker.ts";

describe("crowdai-broker init", () => {
  let cwd: string;
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), "crowdai-init-"));
  });
  afterEach(() => rm(cwd, { recursive: true, force: true }));

  const path = process.env.PATH ?? "";
  const run = (...args: string[]) => runCommand(cwd, args, { env: { PATH: path } });
  const filesIn = async (folder: string) =>
    (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
      .sort();

  it("writes a challenge that passes its check and grades a first submission", async () => {
    const ran = await run("init", "site");
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).toContain("    cd site\n");
    const checked = await run("challenge", "check", "site/challenges/houses");
    expect(checked).toMatchObject({ code: 0, stderr: "" });
    const test = await startBroker({
      challenges: [],
      env: { PATH: path },
      prepare: async (folder) => void (await runCommand(folder, ["init"])),
    });
    try {
      const submit = await runCli(
        ["submit", "challenges/houses/public/sample_submission.csv", "-c", "houses", "--format", "json"],
        { cwd: join(cwd, "site"), env: { CROWDAI_BROKER: test.broker.url, CROWDAI_API_KEY: test.key } },
      );
      expect(submit.code, submit.stderr).toBe(0);
      expect(JSON.parse(submit.stdout)).toMatchObject({
        score: expect.closeTo(180.12, 2),
        submission: { state: "graded" },
      });
    } finally {
      await test.close();
    }
  });

  it("changes no file that exists, and adds no second challenge", async () => {
    await mkdir(join(cwd, "challenges/mine"), { recursive: true });
    await writeFile(join(cwd, "crowdai.env"), "LOG_LEVEL=debug\n");
    const first = await run("init", "--format", "json");
    expect(JSON.parse(first.stdout).init).toMatchObject({
      folder: cwd,
      kept: ["challenges/", "crowdai.env"],
    });
    expect(await readFile(join(cwd, "crowdai.env"), "utf8")).toBe("LOG_LEVEL=debug\n");
    const files = await filesIn(cwd);
    expect(files.filter((file) => file.startsWith("challenges/"))).toEqual([]);
    const again = await run("init");
    expect(again.stdout).toMatch(
      /^Kept as they are: challenges\/, crowdai\.env, .*package\.json, \.gitignore\n$/,
    );
    expect(again.stderr).toBe("");
    expect(await filesIn(cwd)).toEqual(files);
  });

  it("refuses a file in the folder's place, and an address that its files cannot use", async () => {
    await writeFile(join(cwd, "file"), "");
    expect(await run("init", "file")).toMatchObject({ code: 2, stdout: "" });
    for (const url of ["http://a.example", "https://a.example/x y", "https://a.example?x", "a"])
      expect(await run("init", "site", "--url", url)).toMatchObject({ code: 2, stdout: "" });
    expect(existsSync(join(cwd, "site"))).toBe(false);
  });

  it("writes services that systemd accepts", async () => {
    await run("init", "a folder 100%");
    const units = ["broker", "grader"].map((name) =>
      join(cwd, `a folder 100%/systemd/crowdai-${name}.service`),
    );
    for (const unit of units) {
      const text = await readFile(unit, "utf8");
      expect(text).toContain(`WorkingDirectory=${cwd}/a folder 100%%\n`);
    }
    const verified = spawnSync("systemd-analyze", ["verify", ...units], { encoding: "utf8" });
    if (verified.error)
      return void process.stderr.write("SKIPPED (there is no systemd-analyze on this machine)\n");
    expect([verified.status, verified.stdout, verified.stderr]).toEqual([0, "", ""]);
  });

  it("explains every variable that a broker reads, with values that it accepts", async () => {
    const named = [...environmentFile(null).matchAll(/^#?([A-Z][A-Z0-9_]+)=(.*)$/gm)];
    const internal = ["PATH", "CI_LOOPBACK_ISSUERS"];
    expect(named.map(([, name]) => name).sort()).toEqual(
      VARIABLES.filter((name) => !internal.includes(name)).sort(),
    );
    const all = Object.fromEntries(named.map(([, name, value]) => [name, value]));
    expect(readConfig({}, all, "/").publicUrl).toBe("https://crowdai.example.org");
    await run("init", "--url", "https://example.org/crowdai/");
    const text = await readFile(join(cwd, "crowdai.env"), "utf8");
    expect(text).toContain("\nPUBLIC_URL=https://example.org/crowdai\n");
    expect((await stat(join(cwd, "crowdai.env"))).mode & 0o777).toBe(0o600);
  });

  it("has the settings of the documentation in its proxies' files", async () => {
    const docs = await readFile(join(import.meta.dirname, "../../../docs/operating.md"), "utf8");
    const lines = (text: string) =>
      text
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "" && !line.startsWith("#"));
    const [location] = /location \/ \{[^}]*\}/.exec(docs)!;
    expect(lines(nginxSettings(null)).join("\n")).toContain(lines(location).join("\n"));
    const root = lines(caddySettings(null)).join("\n");
    expect(root).toBe(lines(/crowdai\.example\.org \{[^}]*\}/.exec(docs)![0]).join("\n"));
  });
});
