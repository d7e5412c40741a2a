import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Manifest, PUBLISHED, readManifest } from "./manifest.ts";
import type { PackedPackage } from "./pack.ts";
import { release } from "./release.ts";

const common = {
  license: "MIT",
  homepage: "https://example.org",
  bugs: "https://example.org/issues",
};
const repository = { type: "git", url: "git+https://example.org/x.git" };

/** Lists what npm would pack, many times faster. */
async function pack(folder: string, destination: string): Promise<PackedPackage> {
  const { name, version } = readManifest(folder);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => ({ path, size: statSync(join(folder, path)).size }));
  const tarball = join(destination, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`);
  return { name, version, tarball, size: 1000, unpackedSize: 1000, files };
}

describe("npm run release", () => {
  let root: string;
  let printed: string[];
  let published: string[];

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "crowdai-release-test-"));
    [printed, published] = [[], []];
    write("package.json", { name: "workspace", private: true, ...common, repository });
    write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-01-01\n");
    write("LICENSE", "MIT License\n");
    for (const folder of PUBLISHED) {
      for (const [name, text] of [
        ["LICENSE", "MIT License\n"],
        ["README.md", "Read."],
        ["dist/index.js", "export {};"],
      ])
        write(`${folder}/${name}`, text!);
      write(`${folder}/dist/index.d.ts`, "export {};");
      write(`${folder}/package.json`, manifest(folder));
    }
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function write(path: string, content: string | object): void {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), typeof content === "string" ? content : JSON.stringify(content));
  }
  function manifest(folder: string, changes: Partial<Manifest> = {}): object {
    return {
      name: `@example/${folder}`,
      version: "1.2.3",
      description: "Describes.",
      keywords: ["example"],
      ...common,
      repository: { ...repository, directory: folder },
      engines: { node: ">=22" },
      files: ["dist"],
      exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } },
      ...changes,
    };
  }
  const run = (dryRun = false, isPublished = async () => false) =>
    release({
      root,
      dryRun,
      isPublished,
      pack,
      publish: async (tarball) => void published.push(tarball.split("/").at(-1)!),
      print: (line) => void printed.push(line),
    });

  it("publishes every package when all checks pass", async () => {
    expect(await run(), printed.join("\n")).toBe(0);
    expect(published).toEqual([
      "example-cli-1.2.3.tgz",
      "example-broker-1.2.3.tgz",
      "example-grader-1.2.3.tgz",
    ]);
  });

  it("only prints what it would publish in a dry run", async () => {
    expect(await run(true)).toBe(0);
    expect(published).toEqual([]);
    expect(printed[0]).toMatch(/^@example\/cli 1\.2\.3: 5 files, 1 kB packed, 1 kB unpacked$/);
    expect(printed.at(-1)).toBe("Dry run: all checks passed, and nothing was published.");
  });

  it("publishes nothing when one package is wrong, and names every problem", async () => {
    write("broker/dist/broker.test.js", "");
    write("broker/dist/index.js.map", "{}");
    write("broker/dist/path.js", `"${root}"`);
    write("broker/LICENSE", "Another license\n");
    rmSync(join(root, "broker/README.md"));
    rmSync(join(root, "broker/dist/index.d.ts"));
    write(
      "grader/package.json",
      manifest("grader", { keywords: [], dependencies: { "@crowdai/shared": "file:../shared" } }),
    );
    expect(await run()).toBe(1);
    expect(published).toEqual([]);
    expect(printed.filter((line) => line.startsWith("problem: ")).sort()).toEqual(
      [
        "problem: @example/broker: LICENSE differs from the workspace's",
        "problem: @example/broker: dist/path.js contains a path of this machine",
        "problem: @example/broker: the tarball contains dist/broker.test.js",
        "problem: @example/broker: the tarball contains dist/index.js.map",
        "problem: @example/broker: the tarball lacks README.md",
        "problem: @example/broker: the tarball lacks dist/index.d.ts",
        "problem: @example/grader: depends on @crowdai/shared, which has to be bundled",
        'problem: @example/grader: depends on @crowdai/shared "file:../shared", which no registry resolves',
        "problem: @example/grader: package.json has no keywords",
      ].sort(),
    );
  });

  it("refuses versions that differ, that the changelog does not have, or that are published", async () => {
    write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n");
    expect(await run(true, async () => true)).toBe(1);
    expect(printed).toContain('problem: CHANGELOG.md has no entry "## [1.2.3] - <date>"');
    expect(printed).toContain("problem: @example/cli 1.2.3 is already published");
    write("cli/package.json", manifest("cli", { version: "1.3.0" }));
    await run(true);
    expect(printed).toContain(
      "problem: versions differ: @example/cli 1.3.0, @example/broker 1.2.3, @example/grader 1.2.3",
    );
  });
});
