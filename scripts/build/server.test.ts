import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { root } from "../lib/root.ts";

describe("the bundle of the broker", () => {
  it("reads YAML", async () => {
    const folder = await mkdtemp(join(tmpdir(), "crowdai-bundle-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, "competition.yaml"), "- one");
    const program = join(root, "broker/bin/crowdai-broker.js");
    const run = promisify(execFile)(process.execPath, [program, "challenge", "import", folder], {
      cwd: folder,
    });
    await expect(run).rejects.toThrow("competition.yaml: it is not a list of names and values");
  });
});

describe.each(["broker", "grader"])("the bundle of the %s", (name) => {
  const dist = join(root, name, "dist");

  it("holds the packages of many modules, with their licenses, and imports none of them", async () => {
    const notices = await readFile(join(dist, "THIRD-PARTY-NOTICES.txt"), "utf8");
    for (const inside of name === "broker" ? ["ajv", "hono", "kysely", "zod"] : ["ajv", "zod"])
      expect(notices).toMatch(new RegExp(`^${inside} \\d`, "m"));
    for (const file of (await readdir(dist)).filter((each) => each.endsWith(".js")))
      expect(await readFile(join(dist, file), "utf8"), file).not.toMatch(/from "(ajv|hono|kysely|zod)["/]/);
  });

  it("imports no module of Node.js, which would evaluate all that the module exports", async () => {
    for (const file of (await readdir(dist)).filter((each) => /^(bin|index|chunk-.*)\.js$/.test(each)))
      expect(await readFile(join(dist, file), "utf8"), file).not.toMatch(/^(import|\}) .*from "node:/m);
  });
});
