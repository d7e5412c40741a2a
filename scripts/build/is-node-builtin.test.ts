import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../lib/root.ts";

const NAMES = ["ws", "undici", "bun", "bun:sqlite", "kysely", "http", "node:sqlite", "fs/promises"];

it.each(["node", "bun"])("a build by %s leaves to the runtime only what Node.js has", (runtime) => {
  const module = join(import.meta.dirname, "is-node-builtin.ts");
  const program = `const { isNodeBuiltin } = await import(${JSON.stringify(module)});
    console.log(${JSON.stringify(NAMES)}.filter(isNodeBuiltin).join());`;
  const printed = execFileSync(join(root, "node_modules/.bin", runtime), ["-e", program], {
    encoding: "utf8",
  });
  expect(printed.trim()).toBe("http,node:sqlite,fs/promises");
});
