import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { pathWithPython } from "./path-with-python.ts";

const folder = mkdtempSync(join(tmpdir(), "crowdai-python-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder with a `python3` that prints the path of an interpreter, whatever it is asked. */
function withPython(name: string, prints: string): string {
  mkdirSync(join(folder, name));
  const program = join(folder, name, "python3");
  writeFileSync(program, `#!/bin/sh\necho ${prints}\n`);
  chmodSync(program, 0o755);
  return join(folder, name);
}

describe("pathWithPython", () => {
  it("puts the interpreter before the script of a version manager", () => {
    const real = withPython("real", "unused");
    const shims = withPython("shims", join(real, "python3"));
    expect(pathWithPython([shims, "/bin"].join(delimiter))).toBe([real, shims, "/bin"].join(delimiter));
  });

  it("leaves a path alone that finds the interpreter itself, by a link too, or none", () => {
    const own = withPython("own", join(folder, "own/python3"));
    const links = join(folder, "links");
    mkdirSync(links);
    symlinkSync(join(own, "python3"), join(links, "python3"));
    for (const path of [own, links, join(folder, "missing")]) expect(pathWithPython(path)).toBe(path);
  });
});
