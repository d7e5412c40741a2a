import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../scripts/lib/root.ts";
import { type RunningBroker, startBroker } from "../../scripts/lib/running-broker.ts";
import { buildExecutables } from "../../scripts/release/executables/build-executables.ts";
import { ownTarget } from "../../scripts/release/executables/targets.ts";
import { type InstalledClient, run } from "./installed-client.ts";
import { writeChallenge } from "./mean-challenge.ts";
import { testCommand } from "./test-command.ts";

const target = ownTarget();

describe.skipIf(!target)("the standalone executable", () => {
  let folder: string;
  let home: string;
  let broker: RunningBroker;
  let signedIn: NodeJS.ProcessEnv;
  let crowdai: InstalledClient["crowdai"];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "crowdai-executable-"));
    home = join(folder, "home");
    for (const name of ["home", "data"]) mkdirSync(join(folder, name));
    writeChallenge(join(folder, "challenges/mean"));
    const built = buildExecutables({
      dist: join(root, "cli/dist"),
      destination: join(folder, "bin"),
      targets: [target!],
      bytecode: false,
      print: () => {},
    });
    broker = await startBroker({ data: join(folder, "data"), challenges: join(folder, "challenges") });
    expect(await built).toEqual([]);
    const executable = join(folder, "bin", target!.file);
    // No PATH: nothing but the file itself is needed, neither Node.js nor Bun.
    const clean = {
      PATH: "",
      HOME: home,
      CROWDAI_CONFIG_DIR: join(home, "config"),
      CI: "true",
      TMPDIR: home,
    };
    crowdai = (args, { env, cwd = folder, stdin } = {}) =>
      run(executable, args, { cwd, stdin, env: { ...clean, ...env } });
    const key = await broker.addParticipant("ada");
    signedIn = { CROWDAI_BROKER: broker.url, CROWDAI_API_KEY: key, CROWDAI_CHALLENGE: "mean" };
  });
  afterAll(async () => {
    await broker?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  testCommand(() => ({ crowdai, broker, folder, signedIn }));

  it("answers --help as the package does", async () => {
    for (const name of ["crowdai", "submit"]) {
      const { stdout } = await crowdai(name === "crowdai" ? ["--help"] : [name, "--help"]);
      expect(stdout).toBe(readFileSync(join(root, "cli/dist/help", `${name}.txt`), "utf8"));
    }
  });

  it("shows a submission as it is graded", async () => {
    const submitted = await crowdai(["submit", "--no-wait", "--json", "[4]"], { env: signedIn });
    const id = submitted.stdout.trim();
    const watched = await crowdai(["watch", id, "--format", "json"], { env: signedIn });
    expect(watched, watched.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(watched.stdout)).toMatchObject({ schema_version: 1 });
  });

  it("writes the files that connect an agent", async () => {
    const done = await crowdai(["run", "--agent-files", join(folder, "agent")], { env: signedIn });
    expect(done, done.stderr).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, "agent/crowdai_agent.py"), "utf8")).toBe(
      readFileSync(join(root, "cli/dist/agent/crowdai_agent.py"), "utf8"),
    );
    expect(readdirSync(home).filter((name) => name.startsWith("crowdai-agent-"))).toEqual([]);
  });

  it("takes nothing from the folder in which it runs", async () => {
    const hostile = join(folder, "hostile");
    mkdirSync(join(hostile, "node_modules/keytar"), { recursive: true });
    const evil = `require("node:fs").writeFileSync(${JSON.stringify(join(folder, "loaded"))}, "")`;
    writeFileSync(join(hostile, "node_modules/keytar/index.js"), evil);
    writeFileSync(join(hostile, "preload.js"), evil);
    writeFileSync(join(hostile, "bunfig.toml"), 'preload = ["./preload.js"]\n');
    writeFileSync(join(hostile, ".env"), `CROWDAI_API_KEY=${signedIn.CROWDAI_API_KEY}\n`);
    const env = { CROWDAI_BROKER: broker.url, DBUS_SESSION_BUS_ADDRESS: "unix:path=/nowhere" };
    const done = await crowdai(["whoami"], { env, cwd: hostile });
    expect(done.code).toBe(3);
    expect(readdirSync(folder)).not.toContain("loaded");
  });
});
