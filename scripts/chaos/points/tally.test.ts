import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { addToTally, readTally } from "./tally.ts";

it("the stops of several commands add up, by point", () => {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-tally-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "tally.json");
  addToTally(
    file,
    new Map([
      ["queue.claim before", 3],
      ["queue.claim after", 2],
    ]),
  );
  addToTally(file, new Map([["queue.claim after", 18]]));

  expect(Object.fromEntries(readTally(file))).toEqual({ "queue.claim before": 3, "queue.claim after": 20 });
  expect(readdirSync(folder)).toEqual(["tally.json"]);
});

it("a run without earlier commands begins at 0", () => {
  expect(readTally(null).size).toBe(0);
  expect(readTally(join(tmpdir(), "crowdai-no-tally.json")).size).toBe(0);
});
