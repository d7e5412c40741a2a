import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createSubmissionId } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allowedMs } from "../../../test/allowed-ms.ts";
import { FLUSH, packetLine } from "../../src/background/git/pkt-line.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import {
  type Crafted,
  commitOf,
  copyDelta,
  insertDelta,
  pack,
  packed,
  refDelta,
  treeOf,
} from "./crafted-pack.ts";
import { submitWithCode } from "./plain-git.ts";

const NOTHING = "0".repeat(40);
const BLOB = packed("blob", "x");
let pushes = 0;
/** Most of the time goes into creating what is pushed. */
const SOON = { timeout: 90_000 };

/**
 * A push takes seconds to prepare, during which nothing else runs here: idle connections are closed by now.
 */
const noticeClosed = () => new Promise((resolve) => setTimeout(resolve, 50));

interface Handed {
  tree: Crafted;
  commit?: Crafted;
  /** In addition to the commit and the tree. */
  objects?: Buffer[];
  /** Replaces the whole pack. */
  bytes?: (whole: Buffer) => Buffer;
}

describe("a hostile push", () => {
  let broker: TestBroker;
  beforeAll(async () => {
    broker = await startBroker({ withGrader: false });
  });
  afterAll(() => broker.close());

  const post = (body: Uint8Array, headers: Record<string, string> = {}) =>
    fetch(`${broker.broker.url}/code/test/ada.git/git-receive-pack`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${broker.key}`,
        "content-type": "application/x-git-receive-pack-request",
        ...headers,
      },
      body: new Uint8Array(body),
    });

  const command = (after: string, ref: string, before = NOTHING) =>
    packetLine(`${before} ${after} ${ref}\0 report-status side-band-64k`);

  /** Announces the commit and pushes the crafted pack. Returns the output that the user sees. */
  async function push({ tree, commit: given, ...more }: Handed): Promise<string> {
    const commit = given ?? packed("commit", commitOf(tree.name, { message: `push ${++pushes}` }));
    const announced = { commit: commit.name, tree: tree.name, files: 1, bytes: 1 };
    await noticeClosed();
    const { submission } = await submitWithCode(broker, announced);
    const whole = pack([commit.bytes, tree.bytes, ...(more.objects ?? [])]);
    const body = Buffer.concat([
      command(commit.name, `refs/incoming/${submission.id}`),
      FLUSH,
      more.bytes ? more.bytes(whole) : whole,
    ]);
    await noticeClosed();
    const started = performance.now();
    const answer = await post(body);
    const told = Buffer.from(await answer.arrayBuffer()).toString("latin1");
    expect(performance.now() - started).toBeLessThan(allowedMs(10_000));
    expect(answer.status).toBe(200);
    return told;
  }

  async function refused(handed: Handed, words: string | RegExp): Promise<void> {
    const told = await push(handed);
    expect(told).toMatch(/error\[code_(unfit|too_large)\]: /);
    expect(told).toMatch(words);
    expect(told).toMatch(/ng refs\/incoming\/\w+ code_(unfit|too_large)\n/);
    // One message, without any of this machine's paths.
    expect(told.match(/error\[/g)).toHaveLength(1);
    expect(told).not.toContain(broker.folder);
  }

  const plain = packed("tree", treeOf([["100644", "a", BLOB.name]]));

  it("with a valid pack is accepted and leaves nothing else behind", SOON, async () => {
    const own = packed("blob", "good");
    const tree = packed("tree", treeOf([["100644", "a", own.name]]));
    expect(await push({ tree, objects: [own.bytes] })).toContain("ok refs/incoming/");
    expect(await readdir(join(broker.folder, "data/code/.arriving"))).toEqual([]);
  });

  it.each<[string, (whole: Buffer) => Buffer, RegExp]>([
    ["cut off", (whole) => whole.subarray(0, whole.length - 25), /git says "/],
    ["cut off in its head", (whole) => whole.subarray(0, 7), /not a git pack, or it is incomplete/],
    ["absent", () => Buffer.alloc(0), /not a git pack, or it is incomplete/],
    ["not a pack", () => Buffer.from("<html>hello, this is not a pack</html>"), /not a git pack/],
    [
      "changed",
      (whole) => Buffer.concat([whole.subarray(0, 40), Buffer.from([whole[40]! ^ 255]), whole.subarray(41)]),
      /git says "/,
    ],
    [
      "of a billion objects",
      (whole) => Buffer.concat([whole.subarray(0, 8), Buffer.from("3b9aca00", "hex")]),
      /1000000000 objects/,
    ],
    ["without objects", () => pack([]), /the announced commit is not in the pack/],
  ])("with a pack that is %s is refused", SOON, async (_, bytes, words) => {
    await refused({ tree: plain, objects: [BLOB.bytes], bytes }, words);
  });

  it("of another commit, tree or history than announced is refused", SOON, async () => {
    const other = packed("commit", commitOf(plain.name, { message: "another" }));
    await refused(
      { tree: plain, bytes: () => pack([other.bytes, plain.bytes, BLOB.bytes]) },
      /the announced commit is not/,
    );
    const empty = packed("tree", "");
    const lying = packed("commit", commitOf(empty.name));
    await refused(
      { tree: plain, commit: lying, objects: [BLOB.bytes, empty.bytes] },
      /a different tree than announced/,
    );
    const parented = packed("commit", commitOf(plain.name, { parent: other.name, message: "parented" }));
    await refused(
      { tree: plain, commit: parented, objects: [BLOB.bytes, other.bytes] },
      /must not have parent commits/,
    );
    await refused({ tree: plain, commit: parented, objects: [BLOB.bytes] }, /git says "/);
    const tag = packed("tag", `object ${other.name}\ntype commit\ntag t\ntagger A <a@b> 1 +0000\n\nt\n`);
    await refused({ tree: plain, commit: tag, objects: [BLOB.bytes, other.bytes] }, /is not a commit/);
    await refused({ tree: plain, commit: BLOB, objects: [] }, /the announced commit is not/);
  });

  it("with objects missing is refused", SOON, async () => {
    await refused({ tree: plain }, /git says "/);
  });

  it("with a malformed commit is refused", SOON, async () => {
    const commit = (more: Parameters<typeof commitOf>[1]) => packed("commit", commitOf(plain.name, more));
    await refused(
      { tree: plain, commit: commit({ message: "m".repeat(100_000) }), objects: [BLOB.bytes] },
      /65536 bytes/,
    );
    await refused(
      { tree: plain, commit: commit({ message: "a\0b" }), objects: [BLOB.bytes] },
      /git says|UTF-8/,
    );
    await refused(
      { tree: plain, commit: commit({ author: "A <a\nb> 1 +0000" }), objects: [BLOB.bytes] },
      /git says "/,
    );
  });

  it.each([
    [".git", /git says|git reserves/],
    [".GIT", /git says|git reserves/],
    [".Git", /git says|git reserves/],
    ["git~1", /git says|git reserves/],
    ["GIT~2", /git reserves/],
    [".g\u200cit", /git says|git reserves/],
    [".git::$INDEX_ALLOCATION", /git says|git reserves/],
    ["file:stream", /colon/],
    ["trailing.", /ends with a dot or a space/],
    ["trailing ", /ends with a dot or a space/],
    ["back\\slash", /backslash/],
    ["..", /git says/],
    [".", /git says/],
    ["a/b", /git says/],
    ["", /git says/],
    ["line\nbreak", /control character/],
    ["escape\u001b[2J", /control character/],
    [Buffer.from([0x61, 0xff, 0x62]), /not UTF-8/],
  ])("with the name %j is refused", SOON, async (name, words) => {
    const tree = packed("tree", treeOf([["100644", name, BLOB.name]]));
    await refused({ tree, objects: [BLOB.bytes] }, words);
  });

  it("with names that differ only in case, in any folder, is refused", SOON, async () => {
    const colliding = packed(
      "tree",
      treeOf([
        ["100644", "README", BLOB.name],
        ["100644", "readme", BLOB.name],
      ]),
    );
    await refused({ tree: colliding, objects: [BLOB.bytes] }, /same file on systems that ignore case/);
    const above = packed("tree", treeOf([["40000", "docs", colliding.name]]));
    await refused({ tree: above, objects: [BLOB.bytes, colliding.bytes] }, /docs\/README/);
  });

  it(
    "with a submodule is refused, while attributes, .gitmodules and links are accepted as data",
    SOON,
    async () => {
      const linked = packed("tree", treeOf([["160000", "sub", "1".repeat(40)]]));
      await refused({ tree: linked }, /submodule/);
      const modules = packed("blob", '[submodule "x"]\n\tpath = ../x\n\turl = --upload-pack=touch /tmp/x\n');
      const withModules = packed("tree", treeOf([["100644", ".gitmodules", modules.name]]));
      await refused({ tree: withModules, objects: [modules.bytes] }, /git says "/);
      const attributes = packed("blob", "* filter=evil export-ignore export-subst\n");
      const target = packed("blob", "../../etc/passwd");
      const tree = packed(
        "tree",
        treeOf([
          ["100644", ".gitattributes", attributes.name],
          ["120000", "link", target.name],
        ]),
      );
      expect(await push({ tree, objects: [attributes.bytes, target.bytes] })).toContain("ok refs/");
    },
  );

  it("that expands to billions of files is refused at the first file above the limit", SOON, async () => {
    const level = (below: Crafted, mode: string) =>
      packed("tree", treeOf(Array.from({ length: 10 }, (_, n) => [mode, `f${n}`, below.name] as const)));
    const levels = [level(BLOB, "100644")];
    while (levels.length < 10) levels.push(level(levels.at(-1)!, "40000"));
    const top = levels.pop()!;
    await refused(
      { tree: top, objects: [BLOB.bytes, ...levels.map(({ bytes }) => bytes)] },
      /has more than \d+ (files|bytes)/,
    );
  });

  it("of a tree 10,000 folders deep, or of half a million files, is refused", SOON, async () => {
    const deep = [packed("tree", treeOf([["100644", "f", BLOB.name]]))];
    while (deep.length < 10_000) deep.push(packed("tree", treeOf([["40000", "d", deep.at(-1)!.name]])));
    const top = deep.pop()!;
    await refused({ tree: top, objects: [BLOB.bytes, ...deep.map(({ bytes }) => bytes)] }, /deep/);
    const entries = Array.from({ length: 500_000 }, (_, n) => {
      return ["100644", `f${String(n).padStart(7, "0")}`, BLOB.name] as const;
    });
    await refused(
      { tree: packed("tree", treeOf(entries)), objects: [BLOB.bytes] },
      /has more than \d+ (files|bytes)/,
    );
  });

  it("of content that is larger than its compressed size suggests is refused", SOON, async () => {
    const zeros = packed("blob", Buffer.alloc(64 * 1024 * 1024));
    expect(zeros.bytes.length).toBeLessThan(1024 * 1024);
    const tree = packed("tree", treeOf([["100644", "zeros", zeros.name]]));
    await refused({ tree, objects: [zeros.bytes] }, /more than 52428800 bytes/);
    // A delta of some kilobytes that claims to produce gigabytes.
    const base = packed("blob", Buffer.alloc(16 * 1024 * 1024 - 1));
    const bomb = refDelta(base.name, copyDelta(16 * 1024 * 1024 - 1, 16 * 1024 * 1024 - 1, 300));
    await refused(
      { tree: plain, objects: [BLOB.bytes, base.bytes, bomb] },
      /too much memory|too long|git says/,
    );
  });

  it("of deltas in a cycle or in a long chain ends", SOON, async () => {
    const [one, two] = ["1".repeat(40), "2".repeat(40)];
    const circle = [refDelta(one, insertDelta(1, "a")), refDelta(two, insertDelta(1, "b"))];
    await refused({ tree: plain, objects: [BLOB.bytes, ...circle] }, /git says "/);
    const chain = [BLOB];
    const deltas: Buffer[] = [];
    for (let n = 0; n < 5_000; n++) {
      const text = `v${n}`;
      deltas.push(refDelta(chain.at(-1)!.name, insertDelta(n === 0 ? 1 : `v${n - 1}`.length, text)));
      chain.push({ name: packed("blob", text).name, bytes: Buffer.alloc(0) });
    }
    // Deep, but complete: git reads it, and only the snapshot's objects are stored.
    const told = await push({
      tree: packed("tree", treeOf([["100644", "z", chain.at(-1)!.name]])),
      objects: [BLOB.bytes, ...deltas],
    });
    expect(told).toMatch(/ok refs\/incoming|error\[code_unfit\]/);
  });

  it("of deltas that take long to resolve is refused", SOON, async () => {
    let last = packed("blob", "v");
    let text = "v";
    const entries: (readonly [string, string, string])[] = [["100644", "f", last.name]];
    const objects = [last.bytes];
    for (let n = 0; n < 40_000; n++) {
      objects.push(refDelta(last.name, insertDelta(text.length, `v${n}`)));
      text = `v${n}`;
      last = packed("blob", text);
      entries.push(["100644", `f${String(n).padStart(7, "0")}`, last.name]);
    }
    await refused({ tree: packed("tree", treeOf(entries)), objects }, /cannot be read completely/);
  });

  it("that is too large is refused with the reason, after it was read", SOON, async () => {
    const padding = Buffer.alloc(60 * 1024 * 1024, 1);
    await refused({ tree: plain, bytes: (whole) => Buffer.concat([whole, padding]) }, /pack has more than/);
  });

  it("with unknown commands is refused", SOON, async () => {
    const { submission } = await submitWithCode(broker, {
      commit: packed("commit", commitOf(plain.name)).name,
      tree: plain.name,
      files: 1,
      bytes: 1,
    });
    const own = `refs/incoming/${submission.id}`;
    const commit = packed("commit", commitOf(plain.name)).name;
    const told = async (...lines: (string | Buffer)[]) => {
      const body = Buffer.concat([
        ...lines.map((line) => (Buffer.isBuffer(line) ? line : packetLine(line))),
        FLUSH,
      ]);
      const answer = await post(body);
      return `${answer.status} ${Buffer.from(await answer.arrayBuffer()).toString("latin1")}`;
    };
    expect(await told(command(NOTHING, own, commit))).toMatch(/200 .*cannot be deleted/s);
    expect(await told(command(commit, "refs/heads/main"))).toMatch(/200 .*Cannot write/s);
    expect(await told(command(commit, "refs/incoming/../heads/main"))).toMatch(/200 .*Cannot write/s);
    expect(await told(command(commit, `refs/incoming/${createSubmissionId()}`))).toMatch(
      /200 .*You have no submission/s,
    );
    expect(await told(`shallow ${commit}`, command(commit, own))).toMatch(/^403 .*shallow/s);
    expect(await told("push-cert\0 x", command(commit, own))).toMatch(/^403 .*signed/s);
    expect(await told("drop table refs")).toMatch(/^400 /);
    expect(await told(Buffer.from("zzzz"))).toMatch(/^400 /);
    expect(await told(Buffer.from("0003"))).toMatch(/^400 /);
    const many = Array.from({ length: 2000 }, (_, n) => command(commit, `refs/heads/b${n}`));
    expect(await told(...many)).toMatch(/^403 .*at most 1000 refs/s);
    expect((await post(Buffer.from("00a0 cut off"))).status).toBe(400);
    expect((await post(FLUSH)).status).toBe(200);
    expect((await post(FLUSH, { "content-type": "text/plain" })).status).toBe(400);
    expect((await post(Buffer.from("no gzip"), { "content-encoding": "gzip" })).status).toBe(400);
  });
});
