import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../lib/root.ts";

describe.each(["broker", "grader"])("the bundle of the %s", (name) => {
  const dist = join(root, name, "dist");

  it("holds the packages of many modules, with their licenses, and imports none of them", async () => {
    const notices = await readFile(join(dist, "THIRD-PARTY-NOTICES.txt"), "utf8");
    for (const inside of name === "broker" ? ["ajv", "hono", "kysely", "zod"] : ["ajv", "zod"])
      expect(notices).toMatch(new RegExp(`^${inside} \\d`, "m"));
    for (const file of (await readdir(dist)).filter((each) => each.endsWith(".js")))
      expect(await readFile(join(dist, file), "utf8"), file).not.toMatch(/from "(ajv|hono|kysely|zod)["/]/);
  });
});
