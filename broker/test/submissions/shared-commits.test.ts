import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { startBroker } from "../support/test-broker.ts";

const SUBMISSIONS = 64;

it("submissions that one session sends together share commits", async () => {
  const test = await startBroker({ withGrader: false });
  onTestFinished(() => test.close());
  const client = await test.connect();
  const [log] = globSync("**/records.sqlite-wal", { cwd: test.folder });
  const commits = () => readCommits(readFileSync(join(test.folder, log!)));
  const before = commits();
  const input = { kind: "inline" as const, data: { score: 1 } };
  const receipts = await Promise.all(Array.from({ length: SUBMISSIONS }, () => client.submit({ input })));
  expect(new Set(receipts.map(({ submission }) => submission.id)).size).toBe(SUBMISSIONS);
  const made = commits() - before;
  expect(made).toBeGreaterThan(0);
  expect(made).toBeLessThan(SUBMISSIONS / 2);
});

/**
 * Returns the number of commits in a write-ahead log of SQLite: https://sqlite.org/fileformat2.html#walformat
 */
function readCommits(log: Buffer): number {
  const [pageSize, salts] = [log.readUInt32BE(8), log.subarray(16, 24)];
  let commits = 0;
  for (let at = 32; at + 24 + pageSize <= log.length; at += 24 + pageSize) {
    // Frames with other salts are left from before the log was started again.
    if (!log.subarray(at + 8, at + 16).equals(salts)) break;
    if (log.readUInt32BE(at + 4) > 0) commits++;
  }
  return commits;
}
