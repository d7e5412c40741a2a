import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PublicChallenge } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { inspectFile } from "../../client/upload/byte-source.ts";
import { inputOfFile } from "../../submit/submission-input.ts";
import { interpretFile, interpretStdin, readJsonText, readNamedInput } from "./read-input.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "crowdai-given-"));
});
afterEach(() => rm(folder, { recursive: true }));
const code = (code: string) => expect.objectContaining({ code });
async function file(name: string, bytes: string | Buffer) {
  await writeFile(join(folder, name), bytes);
  return inspectFile(join(folder, name));
}
const takes = (extensions: string[] | null, json: boolean) =>
  ({
    accepts: {
      file: extensions && { extensions, max_bytes: 1000 },
      json: json ? { schema: true, max_bytes: 1000 } : null,
    },
  }) as unknown as PublicChallenge;
const kind = async (taken: Promise<{ offered: { kind: string } }>) => (await taken).offered.kind;

describe("the command line", () => {
  it("names one input", async () => {
    await expect(readNamedInput({ cwd: folder })).rejects.toEqual(code("usage"));
    await expect(readNamedInput({ cwd: folder, file: "p.csv", json: "1" })).rejects.toEqual(code("usage"));
    expect(await readNamedInput({ cwd: folder, file: "-" })).toEqual({ from: "stdin" });
    await file("p.csv", "x");
    expect(await readNamedInput({ cwd: folder, file: "p.csv" })).toMatchObject({
      from: "file",
      facts: { name: "p.csv" },
    });
  });

  it.each([
    ["[1,]", "value_not_json"],
    ["", "value_not_json"],
    ["NaN", "value_not_finite"],
    ["[".repeat(101) + "]".repeat(101), "value_too_deep"],
    ["[".repeat(100_000), "value_too_deep"],
  ])("with --json %.20j is refused as %s", async (json, expected) => {
    await expect(readNamedInput({ cwd: folder, json })).rejects.toEqual(code(expected));
  });
});

describe.skipIf(process.platform !== "linux")("a file whose name is not UTF-8", () => {
  it("is found by the argument that the runtime has decoded, and sent with its name", async () => {
    const deep = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from("dir\xe9", "latin1")]);
    await mkdir(deep);
    await writeFile(Buffer.concat([deep, Buffer.from("/caf\xe9.csv", "latin1")]), "1\n");
    const read = await readNamedInput({ cwd: folder, file: "dir\ufffd/caf\ufffd.csv" });
    expect(read).toMatchObject({ from: "file", facts: { name: "caf\u00e9.csv", size: 2 } });
    if (read.from !== "file") return;
    expect((await inputOfFile(read.facts)).source).toMatchObject({ name: "caf\u00e9.csv", size: 2 });
    await expect(readNamedInput({ cwd: folder, file: "caf\ufffd.csv" })).rejects.toEqual(
      code("file_missing"),
    );
  });
});

describe("a .json file", () => {
  it("is a file where such files are taken, and a value where not", async () => {
    const facts = await file("p.json", "[1]");
    expect(await kind(interpretFile(facts, takes([".json"], true)))).toBe("file");
    expect(await kind(interpretFile(facts, takes([], true)))).toBe("file");
    expect(await kind(interpretFile(facts, takes([".csv"], true)))).toBe("json");
    expect(await kind(interpretFile(facts, takes(null, true)))).toBe("json");
  });

  it("must hold JSON where it is a value", async () => {
    await expect(interpretFile(await file("p.json", "[1"), takes(null, true))).rejects.toThrow("p.json");
    const utf16 = Buffer.from("\ufeff[1]", "utf16le");
    await expect(interpretFile(await file("p.json", utf16), takes(null, true))).rejects.toThrow("UTF-8");
    expect(await readJsonText(await file("q.json", "\ufeff [1]"), 100)).toBe(" [1]");
  });

  it("that is far too large is not read at all", async () => {
    await expect(readJsonText(await file("p.json", " ".repeat(6000)), 1000)).rejects.toEqual(
      code("value_too_large"),
    );
  });
});

describe("standard input", () => {
  it("is a value where only values are taken, and a file where only files are", async () => {
    expect(await kind(interpretStdin(await file("stdin", "1"), takes(null, true)))).toBe("json");
    expect(await kind(interpretStdin(await file("stdin", "[1]"), takes([], false)))).toBe("file");
  });

  it("is recognized by its first character where both are accepted", async () => {
    const both = takes([".csv"], true);
    expect(await kind(interpretStdin(await file("stdin.csv", "id,species\n"), both))).toBe("file");
    expect(await kind(interpretStdin(await file("stdin.csv", ' \n{"a": 1}'), both))).toBe("json");
    expect(await kind(interpretStdin(await file("stdin.json", "[1]"), takes([".json"], true)))).toBe("file");
  });

  it.each(['{"a":1}\n{"a":2}\n', "[1]\r\n[2]", '\ufeff{"a":1}\n{"a"', "[1]\n\n[2]\n"])(
    "with JSON lines (%j) is a file where files are accepted, named for them if they have an extension",
    async (text) => {
      const facts = await file("stdin.csv", text);
      expect(await kind(interpretStdin(facts, takes([".csv"], true)))).toBe("file");
      const { offered } = await interpretStdin(facts, takes([".csv", ".jsonl"], true));
      expect(offered).toMatchObject({ kind: "file", name: "stdin.jsonl" });
    },
  );

  it.each(['{"a":\n1}\n', "[1]\n\n", "[\n[1],\n[2]\n]"])("with one value (%j) is a value", async (text) => {
    expect(await kind(interpretStdin(await file("stdin.csv", text), takes([".csv"], true)))).toBe("json");
  });
});
