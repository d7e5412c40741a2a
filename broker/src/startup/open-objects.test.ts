import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openObjects } from "./open-objects.ts";

let dataFolder: string;
beforeEach(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), "crowdai-data-"));
});
afterEach(() => rm(dataFolder, { recursive: true }));

const open = () => openObjects({ s3: null, dataFolder }, () => "http://localhost");

describe("the key that signs addresses", () => {
  it("is made once, whole, and readable by its owner only", async () => {
    await open();
    const file = join(dataFolder, "secret");
    const first = await readFile(file);
    expect(first).toHaveLength(32);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await open();
    expect(await readFile(file)).toEqual(first);
  });

  it.each([0, 1, 31, 33])(
    "is refused with %i bytes, because anyone could forge such a signature",
    async (length) => {
      await writeFile(join(dataFolder, "secret"), Buffer.alloc(length));
      await expect(open()).rejects.toMatchObject({ code: "config_invalid", message: /secret has \d+ bytes/ });
    },
  );
});
