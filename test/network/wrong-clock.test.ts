import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Submission } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBroker, type TestBroker } from "../../broker/test/support/test-broker.ts";
import { root } from "../../scripts/lib/root.ts";

const YEAR_MS = 365 * 86_400_000;
/** More parts than the client sends at once. */
const SIZE = 42_000_000;

describe.each([
  ["ahead", YEAR_MS],
  ["behind", -YEAR_MS],
])("the built client with a clock that is a year %s", (name, offset) => {
  let test: TestBroker;
  let shift: string;
  beforeAll(async () => {
    test = await startBroker({ withGrader: false });
    shift = join(test.folder, "shift.mjs");
    await writeFile(
      shift,
      `const { now } = Date;
       Date.now = () => now() + ${offset};
       globalThis.Date = new Proxy(Date, {
         construct: (of, given, as) => Reflect.construct(of, given.length > 0 ? given : [Date.now()], as),
       });`,
    );
  });
  afterAll(() => test?.close());

  const crowdai = (...args: string[]) => {
    const preload = process.versions.bun ? ["--preload", shift] : ["--import", pathToFileURL(shift).href];
    return promisify(execFile)(process.execPath, [...preload, join(root, "cli/bin/crowdai.js"), ...args], {
      cwd: test.folder,
      env: {
        PATH: process.env.PATH,
        HOME: test.folder,
        CROWDAI_CONFIG_DIR: join(test.folder, "user"),
        CROWDAI_BROKER: test.broker.url,
        CROWDAI_CHALLENGE: "test",
        CROWDAI_API_KEY: test.key,
      },
    });
  };
  const show = async (id: string) =>
    (await (await test.fetch(`/api/v1/submissions/${id}`)).json()) as Submission;

  it("submits a large file in parts", async () => {
    await writeFile(join(test.folder, "large.csv"), Buffer.alloc(SIZE, "1,2\n"));
    const { stdout } = await crowdai("submit", "large.csv", "--no-wait");
    expect(await show(stdout.trim())).toMatchObject({
      input: { size: SIZE },
      accepted_at: expect.any(String),
    });
  });

  it("seals, and sends with the sealed time of its own clock", async () => {
    const id = (await crowdai("submit", "--json", "[1]", "--spool")).stdout.trim();
    await crowdai("sync");
    const { sealed_at, created_at } = await show(id);
    const apart = Date.parse(sealed_at!) - Date.parse(created_at);
    expect(Math.abs(apart - offset), name).toBeLessThan(86_400_000);
  });
});
