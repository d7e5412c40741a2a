import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ARCHIVE_BLOCKS, createOutputReader, makeLinks, takeUpTo } from "./output-reader.ts";
import type { LeftEntry, TakeFile } from "./sandbox.ts";

const BLOCK = 512;
const RECORD = ARCHIVE_BLOCKS * BLOCK;

interface Header {
  size: number | string;
  type: string;
  mode: string;
  target: string;
  prefix: string;
  sum: string;
}

function header(name: string, changes: Partial<Header> = {}): Buffer {
  const { size, type, mode, target, prefix, sum } = {
    ...{ size: 0, type: "0", mode: "0000644", target: "", prefix: "", sum: "" },
    ...changes,
  };
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, "latin1");
  block.write(`${mode}\0`, 100);
  block.write(typeof size === "string" ? size : `${size.toString(8).padStart(11, "0")}\0`, 124);
  block.write(" ".repeat(8), 148);
  block.write(type, 156);
  block.write(target, 157);
  block.write("ustar\x0000", 257);
  block.write(prefix, 345);
  const total = block.reduce((all, byte) => all + byte, 0);
  block.write(sum || `${total.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function file(name: string, content: string, changes: Partial<Header> = {}): Buffer {
  const body = Buffer.alloc(Math.ceil(Buffer.byteLength(content) / BLOCK) * BLOCK);
  body.write(content);
  return Buffer.concat([header(name, { size: Buffer.byteLength(content), ...changes }), body]);
}

/** An archive as tar writes it: two empty blocks at its end, and more up to a whole record. */
function archive(...entries: Buffer[]): Buffer {
  const all = Buffer.concat([...entries, Buffer.alloc(2 * BLOCK)]);
  return Buffer.concat([all, Buffer.alloc((RECORD - (all.length % RECORD)) % RECORD)]);
}

const line = (text: string) => Buffer.from(`${text}\n`);

describe("what comes out of a box", () => {
  let parent: string;
  let folder: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "crowdai-output-"));
    folder = join(parent, "into");
    mkdirSync(folder);
  });
  afterEach(() => rmSync(parent, { recursive: true, force: true }));

  function read(
    chunks: readonly Buffer[],
    options: { take?: TakeFile; maxArchiveBytes?: number; isAsked?: boolean } = {},
  ) {
    const seen = {
      lines: [] as string[],
      invalid: 0,
      entries: [] as LeftEntry[],
      links: new Map<string, string>(),
    };
    const reader = createOutputReader({
      collection: () =>
        options.isAsked === false
          ? null
          : {
              ...{ folder, links: seen.links, maxArchiveBytes: options.maxArchiveBytes ?? RECORD },
              take(entry) {
                seen.entries.push(entry);
                return options.take?.(entry) ?? true;
              },
            },
      onLine: (text) => seen.lines.push(text),
      onInvalid: () => seen.invalid++,
    });
    for (const chunk of chunks) reader.push(chunk);
    reader.end();
    return seen;
  }
  const text = (name: string) => readFileSync(join(folder, name), "utf8");

  it("is lines, however they are cut", () => {
    expect(read([Buffer.from("sta"), Buffer.from("rted\n\nexit"), Buffer.from(" 5\nrest")])).toMatchObject({
      ...{ lines: ["started", "", "exit 5"], invalid: 0 },
    });
  });

  it("is nothing anymore after a line that does not end", () => {
    expect(read([Buffer.alloc(200, 97), line("")])).toMatchObject({ lines: ["a".repeat(200)], invalid: 0 });
    expect(read([Buffer.alloc(201, 97), line(""), line("exit 0")])).toMatchObject({ lines: [], invalid: 1 });
  });

  it('is an archive after the line "files", and lines again after it', () => {
    const content = "x".repeat(700);
    const bytes = [line("files"), archive(file("./a", content), file("./b/c", "2")), line("collected")];
    expect(read(bytes)).toMatchObject({ lines: ["collected"], invalid: 0 });
    expect([text("a"), text("b/c")]).toEqual([content, "2"]);
    expect(statSync(join(folder, "b")).mode & 0o777).toBe(0o700);
  });

  it("is the same in pieces of any size", () => {
    const blocks = "y".repeat(BLOCK);
    const whole = Buffer.concat([
      ...[line("started"), line("files"), archive(file("./a", blocks), file("./b", "1"), file("./c", ""))],
      ...[line("collected"), line("exit 0")],
    ]);
    for (const size of [1, 100, BLOCK, BLOCK + 1, whole.length]) {
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, at) =>
        whole.subarray(at * size, (at + 1) * size),
      );
      expect(read(pieces)).toMatchObject({ lines: ["started", "collected", "exit 0"], invalid: 0 });
      expect([text("a"), text("b"), text("c")]).toEqual([blocks, "1", ""]);
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
    }
  });

  it("is several archives, each into the folder that is asked for then", () => {
    const first = archive(file("./a/b", "1"));
    // As long as a record with its end: nothing follows.
    const full = archive(file("./c", "z".repeat(RECORD - 3 * BLOCK)));
    expect(full).toHaveLength(RECORD);
    const bytes = [line("files"), first, line("collected"), line("files"), full, line("collected")];
    const options = {
      take: ({ name }: LeftEntry) => {
        // The caller has moved them away.
        if (name === "c") rmSync(join(folder, "a"), { recursive: true });
        return true;
      },
    };
    expect(read(bytes, options)).toMatchObject({ lines: ["collected", "collected"], invalid: 0 });
    expect(readdirSync(folder)).toEqual(["c"]);
    const again = [line("files"), archive(file("./a/b", "2")), line("files"), archive(file("./a/d", "3"))];
    let taken = 0;
    read(again, {
      take: () => taken++ === 0 || rmSync(join(folder, "a"), { recursive: true }) === undefined,
    });
    expect(readdirSync(join(folder, "a"))).toEqual(["d"]);
  });

  it("is not an archive that was not asked for", () => {
    for (const bytes of [[archive(file("./a", "1"))], [line("exit 0")]])
      expect(read([line("files"), ...bytes], { isAsked: false })).toMatchObject({ lines: [], invalid: 1 });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("names everything: files, folders, links and pipes, with their sizes and where links lead", () => {
    const { entries, links } = read([
      line("files"),
      archive(
        ...[header("./", { type: "5" }), file("./a", "12"), file("./old", "1", { type: "\0" })],
        ...[
          header("./hard", { type: "1", target: "./a", size: 7 }),
          header("./folder/", { type: "5", size: 9 }),
        ],
        ...[header("./link", { type: "2", target: "a" }), header("./pipe", { type: "6" })],
        ...[header("./device", { type: "3" }), header("./short", { prefix: "long/er" })],
        ...[
          header("././/dots"),
          header("./slashes//", { type: "5" }),
          file("./spaced", "1", { size: "00000000001 " }),
        ],
      ),
    ]);
    const plain = { size: 0, target: null };
    expect(entries.map(({ name, kind, size, target }) => ({ name, kind, size, target }))).toEqual([
      ...[
        { ...plain, name: "", kind: "folder" },
        { ...plain, name: "a", kind: "file", size: 2 },
      ],
      ...[
        { ...plain, name: "old", kind: "file", size: 1 },
        { ...plain, name: "hard", kind: "link" },
      ],
      ...[
        { ...plain, name: "folder", kind: "folder" },
        { ...plain, name: "link", kind: "link", target: "a" },
      ],
      ...[
        { ...plain, name: "pipe", kind: "pipe" },
        { ...plain, name: "device", kind: "other" },
      ],
      { ...plain, name: "long/er/./short", kind: "file" },
      ...[
        { ...plain, name: "dots", kind: "file" },
        { ...plain, name: "slashes", kind: "folder" },
      ],
      { ...plain, name: "spaced", kind: "file", size: 1 },
    ]);
    expect(readdirSync(folder).sort()).toEqual(["a", "dots", "long", "old", "spaced"]);
    expect(readdirSync(join(folder, "long/er"))).toEqual(["short"]);
    expect([...links]).toEqual([["link", "a"]]);
  });

  it("writes only what is taken", () => {
    const link = header("./link", { type: "2", target: "b" });
    const bytes = archive(file("./a", "1"), file("./b", "2"), file("./c", "3"), link);
    const { links, lines } = read([line("files"), bytes, line("collected")], {
      take: ({ name }) => name === "b",
    });
    expect([readdirSync(folder), text("b"), [...links], lines]).toEqual([["b"], "2", [], ["collected"]]);
  });

  it("writes files that only the grader can read, and run if the program could", () => {
    const modes = ["0000644", "0000744", "0000654", "0000645"];
    read([line("files"), archive(...modes.map((mode) => file(`./${mode}`, "1", { mode })))]);
    const written = modes.map((name) => statSync(join(folder, name)).mode & 0o777);
    expect(written).toEqual([0o600, 0o700, 0o700, 0o700]);
    read([line("files"), archive(file("./odd", "1", { mode: "no mode" }))]);
    expect(statSync(join(folder, "odd")).mode & 0o777).toBe(0o600);
  });

  it.each(["../above", "/absolute", "a/../../above", "..", "./", ".", "/"])(
    "writes nothing for the name %s",
    (name) => {
      const bytes = [line("files"), archive(file(name, "1"), file("./after", "2")), line("collected")];
      expect(read(bytes)).toMatchObject({ lines: ["collected"], invalid: 0 });
      expect([readdirSync(folder), existsSync(join(folder, "../above"))]).toEqual([["after"], false]);
    },
  );

  it("writes no file twice, none through another, and none with a name that is too long", () => {
    while (folder.length < 3900) folder = join(folder, "f".repeat(Math.min(200, 3999 - folder.length)));
    mkdirSync(folder, { recursive: true });
    const names = ["./a", "./a/b", "./c/d", "./c", "./a/b/c", `./${"n".repeat(98)}`, "./a"];
    const bytes = names.map((name, at) => file(name, String(at), at === 5 ? { prefix: "p".repeat(98) } : {}));
    expect(read([line("files"), archive(...bytes), line("collected")])).toMatchObject({
      ...{ lines: ["collected"], invalid: 0 },
    });
    expect([text("a"), text("c/d"), readdirSync(folder).sort()]).toEqual(["0", "2", ["a", "c"]]);
  });

  it("does not follow a link that the grader has in the folder", () => {
    mkdirSync(join(folder, "target"));
    symlinkSync(join(folder, "target/file"), join(folder, "link"));
    read([line("files"), archive(file("./link", "1"))]);
    expect(readdirSync(join(folder, "target"))).toEqual([]);
  });

  it("reports what this machine cannot write", () => {
    const gone = join(folder, "gone");
    const reader = createOutputReader({
      collection: () => ({
        folder: `${gone}\0`,
        take: () => true,
        maxArchiveBytes: RECORD,
        links: new Map(),
      }),
      ...{ onLine() {}, onInvalid() {} },
    });
    expect(() => reader.push(Buffer.concat([line("files"), file("./a", "1")]))).toThrow("null bytes");
  });

  describe("makes no sense", () => {
    const after = file("./after", "1");
    it.each<[string, Buffer[]]>([
      ["with a wrong sum", [header("./a", { sum: "0000001\0" }), after]],
      ["with a sum that is not a number", [header("./a", { sum: "x000001\0" }), after]],
      ["with a size that is not a number", [header("./a", { size: "-0000000001\0" }), after]],
      ["with a size that only begins as a number", [header("./a", { size: "0000000000x\0" }), after]],
      ["with a size in another format", [header("./a", { size: "\u0080\0\0\0\0\0\0\0\0\0\x01" }), after]],
      ["without a size", [header("./a", { size: "\0" }), after]],
      ["with an entry after an empty block", [Buffer.alloc(BLOCK), after]],
      ["with text instead of a header", [Buffer.alloc(BLOCK, 97), after]],
    ])("%s: nothing after it counts", (_, blocks) => {
      const seen = read([line("files"), ...blocks, line("exit 0"), Buffer.alloc(RECORD), line("exit 0")]);
      expect(seen).toMatchObject({ lines: [], invalid: 1 });
      expect(readdirSync(folder)).toEqual([]);
    });

    it("as soon as a whole block shows it", () => {
      expect(read([line("files"), Buffer.alloc(BLOCK, 97)])).toMatchObject({ invalid: 1 });
      expect(read([line("files"), Buffer.alloc(BLOCK), header("./a")])).toMatchObject({ invalid: 1 });
    });

    it("with more bytes than a box can have", () => {
      const bytes = [line("files"), file("./a", "1"), file("./b", "2")];
      expect(read(bytes, { maxArchiveBytes: 4 * BLOCK })).toMatchObject({ invalid: 0 });
      expect(readdirSync(folder).sort()).toEqual(["a", "b"]);
      for (const name of ["a", "b"]) rmSync(join(folder, name));
      expect(read(bytes, { maxArchiveBytes: 4 * BLOCK - 1 })).toMatchObject({ invalid: 1 });
      expect(readdirSync(folder)).toEqual(["a"]);
    });

    it("in the middle of a file: what was written is closed", () => {
      const before = readdirSync("/proc/self/fd").length;
      read([line("files"), header("./a", { size: 1000 }), Buffer.from("begin")]);
      expect(text("a")).toBe("begin");
      expect(readdirSync("/proc/self/fd")).toHaveLength(before);
    });
  });
});

describe("links of a collection", () => {
  it("are made if they stay inside, and a link that cannot be made is left out", () => {
    const folder = mkdtempSync(join(tmpdir(), "crowdai-links-"));
    writeFileSync(join(folder, "file"), "");
    const links = new Map([
      ["a/b/link", "../../file"],
      ["outside", "../x"],
      ["file", "a"],
      ["file/below", "a"],
    ]);
    makeLinks({ folder, links });
    expect(readlinkSync(join(folder, "a/b/link"))).toBe("../../file");
    expect(readdirSync(folder).sort()).toEqual(["a", "file"]);
    expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o700);
    rmSync(folder, { recursive: true });
  });
});

describe("files up to a number of bytes", () => {
  const entry = (size: number, kind: LeftEntry["kind"] = "file") => ({ name: "a", kind, size, target: null });

  it("are taken as long as all of them together have no more", () => {
    const take = takeUpTo(10);
    expect([4, 7, 6, 1, 0].map((size) => take(entry(size)))).toEqual([true, false, true, false, true]);
    expect(takeUpTo(10)(entry(0, "link"))).toBe(false);
  });

  it("are 10,000 at most", () => {
    const take = takeUpTo(10);
    const taken = Array.from({ length: 10_001 }, () => take(entry(0)));
    expect([taken.filter(Boolean).length, taken.at(-1)]).toEqual([10_000, false]);
  });
});
