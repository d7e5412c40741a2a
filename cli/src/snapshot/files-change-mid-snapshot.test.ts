import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { makeProject, type Project } from "../../test/project.ts";
import type { CleanGit } from "../git/clean-git.ts";
import { openStore } from "./store/snapshot-store.ts";
import type { Snapshot } from "./take-snapshot.ts";

let project: Project;
beforeEach(() => {
  project = makeProject();
  project.write("train.py", "print(1)\n");
  project.write("src/model.py", "x = 1\n");
  project.git("add", ".");
  project.git("commit", "-qm", "first");
});
afterEach(() => project[Symbol.asyncDispose]());

/**
 * When the user's files change: after listing, or after reading their stats but before reading their content.
 */
type Moment = "listed" | "measured";

/** Takes a snapshot and changes the project in the middle of it. */
async function takeWhile(moment: Moment, change: () => void, maxBytes = 1_000_000): Promise<Snapshot> {
  const store = await openStore(join(project.env.CROWDAI_CONFIG_DIR!, "code"), project.folder, project.env);
  let isDone = false;
  const once = () => {
    if (!isDone) change();
    isDone = true;
  };
  const git: CleanGit = {
    ...store.git,
    async run(args, options) {
      const listed = await store.git.run(args, options);
      // The list of untracked files is the last one that a snapshot needs.
      if (moment === "listed" && args.includes("--exclude-standard")) once();
      return listed;
    },
    start(args, options) {
      if (moment === "measured" && args.includes("fast-import")) once();
      return store.git.start(args, options);
    },
  };
  try {
    const snapshot = await project.take({ store: { ...store, git }, caps: { maxBytes } });
    expect(isDone).toBe(true);
    return snapshot;
  } finally {
    store.close();
  }
}

const at = (path: string) => join(project.folder, path);
const texts = (snapshot: Snapshot) =>
  Object.fromEntries([...project.files(snapshot)].map(([path, { text }]) => [path, text]));

describe.skipIf(missing("git")).each<[Moment]>([["listed"], ["measured"]])(
  "a snapshot whose files change after they were %s",
  { timeout: 300_000 },
  (moment) => {
    it("has the new content of files that grew, shrank or were replaced", async () => {
      project.write("grows.txt", "one\n");
      project.write("shrinks.txt", "a long line\n".repeat(1000));
      project.write("emptied.txt", "something\n");
      project.write("replaced.txt", "old\n");
      const snapshot = await takeWhile(moment, () => {
        appendFileSync(at("grows.txt"), "two\n".repeat(10_000));
        truncateSync(at("shrinks.txt"), 12);
        truncateSync(at("emptied.txt"), 0);
        writeFileSync(at("replaced.new"), "new and longer\n");
        renameSync(at("replaced.new"), at("replaced.txt"));
        writeFileSync(at("train.py"), "print(2)\n");
      });
      expect(texts(snapshot)).toEqual({
        "emptied.txt": "",
        "grows.txt": `one\n${"two\n".repeat(10_000)}`,
        "replaced.txt": "new and longer\n",
        "shrinks.txt": "a long line\n",
        "src/model.py": "x = 1\n",
        "train.py": "print(2)\n",
      });
      expect(snapshot.bytes).toBe(
        Object.values(texts(snapshot)).reduce((sum, text) => sum + Buffer.byteLength(text), 0),
      );
      expect([snapshot.leftOut, snapshot.notes]).toEqual([[], []]);
    });

    it("has no file that vanished, and does not follow a link that replaced a file", async () => {
      project.write("vanishes.txt", "here\n");
      project.write("folder/inside.txt", "here\n");
      project.write("linked.txt", "here\n");
      const snapshot = await takeWhile(moment, () => {
        rmSync(at("vanishes.txt"));
        rmSync(at("folder"), { recursive: true });
        writeFileSync(at("folder"), "a file now\n");
        rmSync(at("linked.txt"));
        symlinkSync("/etc/passwd", at("linked.txt"));
        rmSync(at("src/model.py"));
        execFileSync("mkfifo", [at("src/model.py")]);
      });
      const left = Object.fromEntries(snapshot.leftOut.map(({ path, reason }) => [path, reason]));
      const { "linked.txt": link, ...others } = texts(snapshot);
      expect(others).toEqual({ "train.py": "print(1)\n" });
      // The link itself may be part of the project, but its target never is.
      expect(link).toBe(moment === "listed" ? "/etc/passwd" : undefined);
      expect(left).toEqual(
        moment === "listed"
          ? { "src/model.py": "a pipe, socket or device" }
          : {
              "folder/inside.txt": "it was removed before it could be read",
              "linked.txt": "it cannot be read",
              "src/model.py": "it cannot be read",
              "vanishes.txt": "it was removed before it could be read",
            },
      );
    });

    it("is refused if a file grew beyond the limit", async () => {
      project.write("grows.txt", "one\n");
      const taking = takeWhile(moment, () => truncateSync(at("grows.txt"), 5_000_000_000), 1000);
      await expect(taking).rejects.toMatchObject({
        code: "code_too_large",
        message: expect.stringContaining("grows.txt"),
      });
      truncateSync(at("grows.txt"), 4);
      expect(texts(await project.take())["grows.txt"]).toBe("one\n");
    });

    it("that is repeated has the files of that moment", async () => {
      project.write("changes.txt", "one\n");
      project.write("vanishes.txt", "here\n");
      await takeWhile(moment, () => {
        writeFileSync(at("changes.txt"), "two\n");
        rmSync(at("vanishes.txt"));
      });
      writeFileSync(at("changes.txt"), "six\n");
      project.write("vanishes.txt", "back\n");
      expect(texts(await project.take())).toMatchObject({ "changes.txt": "six\n", "vanishes.txt": "back\n" });
    });
  },
);

it("what is known of the files is written again only when something changed", async () => {
  const take = async () => {
    const store = await openStore(join(project.env.CROWDAI_CONFIG_DIR!, "code"), project.folder, project.env);
    const { tree } = await project.take({ store });
    const { ino, mtimeMs } = statSync(store.cache);
    store.close();
    return { tree, cache: `${ino} ${mtimeMs}` };
  };
  // Files that were written a moment ago are read again the next time.
  let last = "";
  const isSteady = async () => {
    const { cache } = await take();
    const isSame = cache === last;
    last = cache;
    return isSame;
  };
  await expect.poll(isSteady, { timeout: 10_000 }).toBe(true);
  const before = await take();
  project.write("train.py", "print(2)\n");
  const after = await take();
  expect(after.tree).not.toBe(before.tree);
  expect(after.cache).not.toBe(before.cache);
});
