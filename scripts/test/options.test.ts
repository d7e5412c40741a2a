import { expect, it } from "vitest";
import { readTestOptions } from "./options.ts";

it("runs everything on both runtimes without arguments", () => {
  expect(readTestOptions([])).toEqual({ filters: [], runtimes: ["node", "bun"], quick: false, limit: 30 });
});

it("uses one runtime for --quick, and the one that --runtime names", () => {
  expect(readTestOptions(["--quick"]).runtimes).toEqual(["node"]);
  expect(readTestOptions(["--quick", "--runtime", "bun"]).runtimes).toEqual(["bun"]);
  expect(readTestOptions(["--runtime", "node", "cli/src"])).toMatchObject({
    filters: ["cli/src"],
    runtimes: ["node"],
  });
});

it.each([
  [["--runtime", "deno"], "--runtime is node or bun, not deno"],
  [["--limit", "soon"], "--limit is a number of minutes above 0, not soon"],
  [["--slow"], "--slow"],
])("refuses %j", (args, message) => {
  expect(() => readTestOptions(args)).toThrow(message);
});
