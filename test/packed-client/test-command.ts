import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../../scripts/lib/root.ts";
import type { RunningBroker } from "../../scripts/lib/running-broker.ts";
import type { InstalledClient } from "./installed-client.ts";

export interface TriedClient {
  crowdai: InstalledClient["crowdai"];
  broker: RunningBroker;
  /** A folder for the files of the tests. */
  folder: string;
  /** The environment of a participant of the challenge "mean". */
  signedIn: NodeJS.ProcessEnv;
}

/** Tests the command, however it was installed: as a package, or as an executable. */
export function testCommand(client: () => TriedClient): void {
  it("prints its version and its help", async () => {
    const { version } = JSON.parse(readFileSync(join(root, "cli/package.json"), "utf8"));
    expect((await client().crowdai(["--version"])).stdout.trim()).toBe(version);
    expect((await client().crowdai(["--help"])).stdout).toContain("crowdai submit predictions.csv");
  });

  it("signs in with a key from standard input and keeps it where only its owner can read it", async () => {
    const env = { CROWDAI_BROKER: client().broker.url, CROWDAI_CONFIG_DIR: join(client().folder, "config") };
    const login = await client().crowdai(["login", "--with-token"], {
      env,
      stdin: `${client().signedIn.CROWDAI_API_KEY}\n`,
    });
    expect(login, login.stderr).toMatchObject({ code: 0 });
    const whoami = await client().crowdai(["whoami"], { env });
    expect(whoami, whoami.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining("ada") });
    for (const name of readdirSync(join(client().folder, "config")))
      expect(statSync(join(client().folder, "config", name)).mode & 0o077).toBe(0);
  });

  it("lists the challenges", async () => {
    const { code, stdout } = await client().crowdai(["challenges"], { env: client().signedIn });
    expect(code).toBe(0);
    expect(stdout).toContain("Guess the mean");
  });

  it("submits a file and a JSON value, and stands on the leaderboard with the better one", async () => {
    const file = join(client().folder, "guess.csv");
    writeFileSync(file, "4\n5\n");
    const first = await client().crowdai(["submit", file, "--format", "json"], { env: client().signedIn });
    expect(first, first.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(first.stdout)).toMatchObject({ schema_version: 1 });
    expect(first.stdout).toContain('"score"');
    const second = await client().crowdai(["submit", "--json", "[3, 4]"], { env: client().signedIn });
    expect(second, second.stderr).toMatchObject({ code: 0, stderr: expect.stringContaining("0.500") });
    const board = await client().crowdai(["leaderboard", "--format", "json"], { env: client().signedIn });
    expect(board.stdout).toContain('"ada"');
    expect(board.stdout).toMatch(/"score":\s*0\.5\b/);
  });

  it.each([
    { what: "a wrong extension", args: ["submit", "guess.txt"], code: 4 },
    { what: "an empty file", args: ["submit", "empty.csv"], code: 4 },
    { what: "a value against the schema", args: ["submit", "--json", '["five"]'], code: 4 },
    { what: "a missing file", args: ["submit", "none.csv"], code: 2 },
    { what: "what the evaluator rejects", args: ["submit", "--json", "[1000]"], code: 6 },
    { what: "an unknown challenge", args: ["submit", "-c", "meen", "--json", "[1]"], code: 2 },
    {
      what: "a score below the one asked for",
      args: ["submit", "--json", "[9]", "--min-score", "0.1"],
      code: 7,
    },
    { what: "an unknown option", args: ["submit", "--speed"], code: 2 },
  ])("ends with exit code $code on $what, with one JSON document", async ({ args, code }) => {
    writeFileSync(join(client().folder, "guess.txt"), "1\n");
    writeFileSync(join(client().folder, "empty.csv"), "");
    const done = await client().crowdai([...args, "--format", "json"], {
      env: client().signedIn,
      cwd: client().folder,
    });
    expect(done.code, done.stderr).toBe(code);
    expect(JSON.parse(done.stdout)).toHaveProperty("schema_version", 1);
  });

  it.each([
    { what: "no key", env: { CROWDAI_API_KEY: undefined }, code: 3 },
    { what: "a mistyped key", env: { CROWDAI_API_KEY: "crowdai_mistyped" }, code: 3 },
    { what: "no server at the broker's address", env: { CROWDAI_BROKER: "http://127.0.0.1:9" }, code: 5 },
  ])("ends with exit code $code on $what", async ({ env, code }) => {
    const done = await client().crowdai(["submit", "--json", "[1]"], {
      env: { ...client().signedIn, ...env },
    });
    expect(done.code, done.stderr).toBe(code);
    expect(done.stderr).not.toContain("    at ");
  });
}
