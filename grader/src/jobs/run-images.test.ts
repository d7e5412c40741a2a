import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { loadChallengeFolder } from "@crowdai/shared/challenge-folder";
import { afterAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../testing/challenge.ts";
import { makeRunChallenge } from "../testing/run-challenge.ts";
import { openCodeTests, type SubmitCode } from "../testing/submit-code.ts";

const tests = await openCodeTests();
afterAll(() => tests?.close());
const submit = tests?.submit as SubmitCode;
const hasSquashfs = existsSync("/usr/bin/mksquashfs");

/** Makes a root folder with a shell, some programs and their libraries. */
function makeImage(root: string, programs = ["sh", "tar", "find", "stat", "cat"]): void {
  const place = (path: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(path, join(root, path));
    chmodSync(join(root, path), 0o755);
  };
  for (const program of programs) {
    place(`/bin/${program}`);
    const libraries = execFileSync("ldd", [`/bin/${program}`], { encoding: "utf8" });
    for (const [path] of libraries.matchAll(/\/\S+/g)) if (!existsSync(join(root, path))) place(path);
  }
  mkdirSync(join(root, "opt"));
  writeFileSync(join(root, "opt/factor"), "2\n");
  execFileSync("chmod", ["-R", "a+rX", root]);
}

const squash = (root: string, file: string) =>
  execFileSync("mksquashfs", [root, file, "-quiet", "-no-progress", "-all-root"], { stdio: "ignore" });

/** Makes a challenge whose image is made by `make` at a path of its folder. */
async function imageChallenge(image: { path: string; sha256?: string }, make: (path: string) => void) {
  const challenge = await makeRunChallenge({ command: ["sh", "main.sh"], build: null });
  make(join(challenge.dir, image.path));
  const file = join(challenge.dir, "challenge.json");
  const config = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...config, run: { ...config.run, image } }));
  return await loadChallengeFolder(challenge.dir);
}

const MAIN = `while read n; do echo $((n * $(cat /opt/factor))); done < /input/numbers.csv > /out/predictions.csv
for path in /usr/bin/python3 /etc/passwd /bin/../challenge.json; do [ -e $path ] && echo "sees $path" >&2; done; :`;

describe.runIf(tests)("code that runs in an image", () => {
  it("sees its programs and files instead of the machine's", async () => {
    const challenge = await imageChallenge({ path: "image" }, makeImage);
    const { outcome, log } = await submit(challenge, { "main.sh": MAIN });
    expect(outcome, log).toMatchObject({
      ...{ ok: true, score: 0.75 },
      run: { image: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(log).not.toContain("sees");
  });

  it.runIf(hasSquashfs)("may have it as a squashfs file, whose digest is verified", async () => {
    const root = join(await temporaryFolder(), "image");
    makeImage(root);
    squash(root, `${root}.squashfs`);
    const sha256 = createHash("sha256")
      .update(readFileSync(`${root}.squashfs`))
      .digest("hex");
    const image = { path: "image.squashfs", sha256 };
    const copy = (path: string) => copyFileSync(`${root}.squashfs`, path);
    const { outcome, log } = await submit(await imageChallenge(image, copy), { "main.sh": MAIN });
    expect(outcome, log).toMatchObject({ ok: true, score: 0.75, run: { image: sha256 } });
    expect(log).not.toContain("sees");
    const other = await imageChallenge({ ...image, sha256: "0".repeat(64) }, copy);
    expect(await submit(other, { "main.sh": MAIN })).toMatchObject({
      outcome: { code: "image_invalid", message: "The challenge's image is not the expected one." },
      log: `the digest of image.squashfs is ${sha256}, not run.image.sha256`,
    });
  });

  it.runIf(hasSquashfs)("is not run when the file is not a squashfs", async () => {
    const damaged = await imageChallenge({ path: "image.squashfs" }, (path) => writeFileSync(path, "hsqs"));
    expect((await submit(damaged, { "main.sh": MAIN })).outcome).toMatchObject({
      code: "image_invalid",
      message: "The challenge's image cannot be opened.",
    });
  });

  it("is not run when the image is gone, or lacks a program", async () => {
    const challenge = await imageChallenge({ path: "image" }, (path) =>
      makeImage(path, ["sh", "tar", "cat"]),
    );
    expect(await submit(challenge, { "main.sh": MAIN })).toMatchObject({
      outcome: { code: "image_invalid", message: "The challenge's image lacks a program that boxes need." },
      log: "image has no find",
    });
    rmSync(join(challenge.dir, "image"), { recursive: true });
    expect((await submit(challenge, { "main.sh": MAIN })).outcome).toMatchObject({
      code: "image_invalid",
      message: "The challenge's image is missing.",
    });
  });

  it("is not run when the image lacks the challenge's command, or that of the submission", async () => {
    const challenge = await makeRunChallenge({ command: ["no-such-program"] });
    expect(await submit(challenge, {})).toMatchObject({
      outcome: { code: "image_invalid" },
      log: "run.command names no-such-program, which is not on the PATH of the box",
    });
    const free = await makeRunChallenge({ command: "submission" });
    expect((await submit(free, {}, { command: ["no-such-program"] })).outcome).toMatchObject({
      code: "code_invalid",
      message: "The program no-such-program is not installed where the code runs.",
    });
  });
});
