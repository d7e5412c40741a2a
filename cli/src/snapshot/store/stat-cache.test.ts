import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isRacy, readStatCache, type StatCache, writeStatCache } from "./stat-cache.ts";

const CACHE: StatCache = {
  tree: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
  files: new Map([
    ["a\nb \xe9.py", { fingerprint: "33188.5.1.2.3", size: 5 }],
    ["src/new", { fingerprint: "", size: 0 }],
  ]),
  folders: new Map([
    ["", "16877.1.2.3.4"],
    ["src", "16877.5.6.7.8"],
  ]),
};

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "crowdai-stats-"));
  path = join(folder, "file-stats");
  writeStatCache(path, CACHE);
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("the stats of the last snapshot's files", () => {
  it("are read as they were written, with names in any encoding", () => {
    expect(readStatCache(path)).toEqual(CACHE);
    expect(readdirSync(folder)).toEqual(["file-stats"]);
    const empty: StatCache = { tree: CACHE.tree, files: new Map(), folders: new Map() };
    writeStatCache(path, empty);
    expect(readStatCache(path)).toEqual(empty);
  });

  it("count as absent if any byte changed, or the end is missing", () => {
    const bytes = readFileSync(path);
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed[i]! ^= 1;
      writeFileSync(path, changed);
      expect(readStatCache(path), `byte ${i}`).toBeNull();
      writeFileSync(path, bytes.subarray(0, i));
      expect(readStatCache(path), `${i} bytes`).toBeNull();
    }
    writeFileSync(path, Buffer.alloc(bytes.length));
    expect(readStatCache(path)).toBeNull();
  });

  it("count as absent if another release wrote them, or nothing did", () => {
    const [tree, fingerprint] = [CACHE.tree, "33188.5.1.2.3"];
    writeFileSync(path, JSON.stringify({ version: 2, tree, files: [["a.py", fingerprint, 5]] }));
    expect(readStatCache(path)).toBeNull();
    rmSync(path);
    expect(readStatCache(path)).toBeNull();
  });
});

describe("a file may change again unnoticed", () => {
  const SECOND = 1_000_000_000n;
  const at = (time: bigint) => ({ mtimeNs: time, ctimeNs: time }) as Parameters<typeof isRacy>[0];

  it("just before it is read, within two seconds where times have no fractions", () => {
    const now = 1000n * SECOND + 500_000_000n;
    expect(isRacy(at(now - 10_000_000n), now)).toBe(true);
    expect(isRacy(at(now - 100_000_000n), now)).toBe(false);
    expect(isRacy(at(999n * SECOND), now)).toBe(true);
    expect(isRacy(at(998n * SECOND), now)).toBe(false);
  });

  it("if either of its times is later than the clock, which was set back", () => {
    const now = 1000n * SECOND;
    const [old, later] = [500n * SECOND, 2000n * SECOND + 1n];
    const times = (mtimeNs: bigint, ctimeNs: bigint) =>
      ({ mtimeNs, ctimeNs }) as Parameters<typeof isRacy>[0];
    expect(isRacy(times(old, old), now)).toBe(false);
    expect(isRacy(times(later, old), now)).toBe(true);
    expect(isRacy(times(old, later), now)).toBe(true);
  });
});
