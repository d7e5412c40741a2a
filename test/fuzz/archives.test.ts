import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { CrowdaiError } from "@crowdai/shared";
import { unpackBundle } from "@crowdai/shared/bundles";
import { unpackArchive } from "@crowdai/shared/unpack-archive";
import fc from "fast-check";
import { packTar } from "modern-tar";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { holds, text } from "./runs.ts";

/** Each input makes a folder. */
const SHARE = 0.2;
const LIMITS = { maxFiles: 20, maxBytes: 10_000 };

const name = () =>
  fc.oneof(
    text(),
    fc
      .array(fc.constantFrom("..", ".", "a", "B", "b", "", "c.txt", "\u0000", "x".repeat(120)), {
        maxLength: 5,
      })
      .map((parts) => parts.join("/")),
    fc.constantFrom("/etc/passwd", "..\\a", "a/../../b", "C:\\a", "a//b"),
  );
const tar = () =>
  fc
    .array(
      fc.record({
        name: name(),
        type: fc.constantFrom("file", "directory", "symlink", "link", "fifo" as never),
        linkname: name(),
        body: fc.string({ maxLength: 50 }),
      }),
      { maxLength: 6 },
    )
    .map(async (entries) => {
      try {
        return await packTar(
          entries.map(({ body, ...header }) =>
            header.type === "file"
              ? { header: { ...header, size: Buffer.byteLength(body) }, body }
              : { header: { ...header, size: 0 } },
          ),
        );
      } catch {
        return new Uint8Array(1024);
      }
    });

describe("an archive", () => {
  let folder: string;
  let count = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-fuzz-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Unpacked or refused; outside of its folder, nothing appears. */
  async function unpack(work: (into: string) => Promise<void>): Promise<void> {
    const place = join(folder, `${count++}`);
    const into = join(place, "inside");
    await mkdir(place);
    const error = await work(into).then(
      () => null,
      (caught) => caught,
    );
    if (error !== null) expect(error).toBeInstanceOf(CrowdaiError);
    expect((await readdir(place)).filter((name) => name !== "inside")).toEqual([]);
    await rm(place, { recursive: true, force: true });
  }

  it("in tar's format, with any names and links, is unpacked inside its folder or refused", () =>
    holds(
      fc.asyncProperty(tar(), fc.boolean(), async (made, isZipped) => {
        const bytes = await made;
        const path = join(folder, "archive");
        await writeFile(path, isZipped ? gzipSync(bytes) : bytes);
        await unpack((into) => unpackArchive(path, into, LIMITS, new AbortController().signal));
      }),
      SHARE,
    ));

  it("whose bytes are broken is refused, or unpacked inside its folder", () =>
    holds(
      fc.asyncProperty(tar(), fc.infiniteStream(fc.nat()), async (made, random) => {
        const bytes = Buffer.from(await made);
        for (let n = 0; n < 10 && bytes.length > 0; n++) {
          const at = random.next().value % bytes.length;
          bytes[at] = random.next().value % 256;
        }
        const path = join(folder, "archive");
        await writeFile(path, bytes);
        await unpack((into) => unpackArchive(path, into, LIMITS, new AbortController().signal));
      }),
      SHARE,
    ));

  it("as the bundle of a challenge is unpacked inside its folder or refused", () =>
    holds(
      fc.asyncProperty(tar(), async (made) => {
        const bytes = gzipSync(await made);
        await unpack(async (into) => {
          await mkdir(into);
          await unpackBundle(
            (async function* () {
              yield bytes;
            })(),
            into,
          );
        });
      }),
      SHARE,
    ));
});
