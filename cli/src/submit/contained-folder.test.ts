import { mkdir, realpath, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { publicChallenge } from "../../test/public-challenge.ts";
import { temporaryFolder } from "../../test/run-cli.ts";
import { chooseCode } from "./choose-code.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder.path, "kit", "src"), { recursive: true });
  await mkdir(join(folder.path, "kit-of-others"));
  await mkdir(join(folder.path, "private"));
  await symlink("../private", join(folder.path, "kit", "link"));
  await symlink("src", join(folder.path, "kit", "inner-link"));
});
afterEach(() => folder[Symbol.asyncDispose]());

const challenge = { ...publicChallenge({ id: "iris" }), code: { capture: "optional" as const } };
const choose = (dir: string, code?: string | boolean) =>
  chooseCode(challenge, {
    code,
    publish: undefined,
    project: { path: join(folder.path, "kit", "crowdai.json"), config: { code: { submit: true, dir } } },
    cwd: join(folder.path, "kit"),
    env: { HOME: join(folder.path, "home") },
  });

test.each(["..", "../private", "src/../../private", "/", "link", "./link/.", "../kit-of-others", "../it's"])(
  "a crowdai.json cannot choose the code of the folder %j, which is outside its own",
  (dir) => {
    for (const code of [undefined, true])
      expect(() => choose(dir, code)).toThrow(
        expect.objectContaining({ code: "config_invalid", next: expect.stringContaining("--code ") }),
      );
  },
);

test("an absolute code.dir outside is refused, and the command line can name the folder", async () => {
  const outside = join(folder.path, "private");
  expect(() => choose(outside)).toThrow(expect.objectContaining({ code: "config_invalid" }));
  expect(choose("src", join(folder.path, "kit-of-others"))?.folder).toBe(
    await realpath(join(folder.path, "kit-of-others")),
  );
});

test.each([".", "src", "./src/", "src/../src", "inner-link"])(
  "a code.dir inside is taken: %j",
  async (dir) => {
    expect(choose(dir)?.folder).toBe(await realpath(join(folder.path, "kit", dir)));
  },
);
