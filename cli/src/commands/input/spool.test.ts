import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { expect, it } from "vitest";
import { spool } from "./spool.ts";

const never = new AbortController().signal;

it("keeps a stream in a file that only its owner reads, until it is disposed of", async () => {
  const spooled = await spool(Readable.from(["id,", "species\n"]), {
    name: "stdin.csv",
    maxBytes: 11,
    signal: never,
  });
  const path = String(spooled.facts.path);
  expect(spooled.facts).toMatchObject({ name: "stdin.csv", size: 11 });
  expect(await readFile(path, "utf8")).toBe("id,species\n");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
  await spooled[Symbol.asyncDispose]();
  expect(existsSync(dirname(path))).toBe(false);
});

it("refuses nothing at all, and more than is taken, without reading on", async () => {
  const options = { name: "stdin", maxBytes: 100, signal: never };
  await expect(spool(Readable.from([]), options)).rejects.toMatchObject({ code: "file_empty" });
  let read = 0;
  const endless = Readable.from(
    (function* () {
      for (;;) {
        read++;
        yield Buffer.alloc(64);
      }
    })(),
    { objectMode: false, highWaterMark: 64 },
  );
  await expect(spool(endless, options)).rejects.toMatchObject({ code: "file_too_large" });
  expect(read).toBeLessThan(10_000);
});

it("stops when its signal is aborted though the stream never ends", async () => {
  const stop = new AbortController();
  const spooling = spool(new PassThrough(), { name: "stdin", maxBytes: 100, signal: stop.signal });
  stop.abort();
  await expect(spooling).rejects.toMatchObject({ code: "interrupted" });
});
