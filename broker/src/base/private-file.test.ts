import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createPrivateFile, replacePrivateFile } from "./private-file.ts";

const folder = mkdtempSync(join(tmpdir(), "crowdai-private-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a private file", () => {
  it("is readable by its owner only, and leaves no temporary file", () => {
    const path = join(folder, "secret");
    expect(createPrivateFile(path, Buffer.from("one"))).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["secret"]);
  });

  it("is not created where a file exists", () => {
    const path = join(folder, "kept");
    writeFileSync(path, "old");
    expect(createPrivateFile(path, Buffer.from("new"))).toBe(false);
    expect(readFileSync(path, "utf8")).toBe("old");
  });

  it("replaces an existing file", () => {
    const path = join(folder, "note");
    writeFileSync(path, "old", { mode: 0o644 });
    replacePrivateFile(path, Buffer.from("new"));
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});
