import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../lib/root.ts";

const guide = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
const recipes = guide.slice(guide.indexOf("## Recipes"), guide.indexOf("## How we write"));
const PLACEHOLDER = /<\w+>/;

describe("the recipes of CONTRIBUTING.md", () => {
  it("cover the eleven commonest changes", () => {
    expect(recipes.match(/^\*\*.+?\*\*/gm)).toHaveLength(12);
  });

  const named = [...guide.matchAll(/`([\w@.-]+\/[^`\s]+\.\w+)`/g)]
    .map((match) => match[1] as string)
    .filter((path) => !PLACEHOLDER.test(path));
  it.each(named)("name a file that exists: %s", (path) => {
    expect(existsSync(join(root, path))).toBe(true);
  });
});
