import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { missing } from "../../test/required-programs.ts";
import { createSeededRandom } from "../chaos/seeded-random.ts";
import { root } from "../lib/root.ts";
import { cutRepeatedly } from "./cut-repeatedly.ts";
import { createDisk } from "./disk.ts";
import { recording, type Step, traceEnds } from "./trace.ts";

const PRELUDE = `
import fs from "node:fs/promises";
const folder = process.argv.at(-1);
async function sync(path) { const file = await fs.open(path); await file.sync(); await file.close(); }
`;

/** Records what a program in JavaScript does to the files of a folder. */
const record = (program: string) =>
  recordCommand((folder) => ["--input-type=module", "--eval", PRELUDE + program, "--", folder]);

async function recordCommand(argv: (folder: string) => string[]) {
  const scratch = mkdtempSync(join(tmpdir(), "crowdai-power-cut-"));
  onTestFinished(() => rmSync(scratch, { recursive: true }));
  const [folder, trace] = [join(scratch, "state"), join(scratch, "trace")];
  mkdirSync(folder);
  const [tracer, ...args] = recording(trace);
  const node = [process.execPath, ...argv(folder)];
  const env = {
    ...process.env,
    HOME: scratch,
    CROWDAI_CHALLENGE: "test",
    CROWDAI_BROKER: "http://127.0.0.1:9",
  };
  const child = spawn(tracer, [...args, ...node], { cwd: folder, env, stdio: "ignore" });
  const [code] = await once(child, "exit");
  expect(code).toBe(0);
  await traceEnds(trace, child.pid!);
  return { scratch, folder, trace };
}

/**
 * Cuts the power after the last step, until each mercy has come up, and returns what a file holds then: null
 * without it.
 */
async function leftOf(program: string, name: string): Promise<(string | null)[]> {
  const recorded = await record(program);
  const left = new Set<string | null>();
  const check = async (folder: string) => {
    const path = join(folder, name);
    left.add(existsSync(path) ? readFileSync(path, "utf8") : null);
    return [];
  };
  for (let seed = 0; seed < 20; seed++)
    await cutRepeatedly({ ...recorded, cuts: 1, random: createSeededRandom(seed), check });
  return [...left].sort();
}

describe.skipIf(missing("strace"))("a disk that forgets what was not synced", () => {
  it("keeps a file that was synced, with its folder", async () => {
    const program = `
      await fs.writeFile(folder + "/new", "whole", { flush: true });
      await fs.rename(folder + "/new", folder + "/file");
      await sync(folder);`;
    expect(await leftOf(program, "file")).toEqual(["whole"]);
  });

  it("may lose the name of a file whose folder was not synced after a rename", async () => {
    const program = `
      await fs.writeFile(folder + "/file", "old", { flush: true });
      await sync(folder);
      await fs.writeFile(folder + "/new", "whole", { flush: true });
      await fs.rename(folder + "/new", folder + "/file");`;
    expect(await leftOf(program, "file")).toEqual(["old", "whole"]);
  });

  it("may lose the bytes of a file that was not synced, or a part of them", async () => {
    const program = `
      const file = await fs.open(folder + "/file", "w");
      await file.write("one ");
      await sync(folder + "/file");
      await sync(folder);
      await file.write("two ");
      await file.write("six");`;
    const left = await leftOf(program, "file");
    expect(left).toEqual(expect.arrayContaining(["one ", "one two ", "one two six"]));
    expect(left.join()).not.toContain("null");
  });

  it("knows a folder that a thread uses before its making has ended", () => {
    const scratch = mkdtempSync(join(tmpdir(), "crowdai-power-cut-"));
    onTestFinished(() => rmSync(scratch, { recursive: true }));
    const disk = createDisk("/state");
    const folders = ["/state/a", "/state/a/b"].map((path) => ({ type: "folder" as const, path }));
    const file = { type: "open" as const, path: "/state/a/b/file", fd: "3" };
    for (const change of folders) disk.apply({ change, phase: "begins", time: 0 });
    const change = { ...file, create: true, truncate: false, append: false };
    disk.apply({ change, phase: "ends", time: 0 });
    for (const change of folders) disk.apply({ change, phase: "ends", time: 0 });
    disk.cut(join(scratch, "left"), createSeededRandom(1), "all");
    expect(existsSync(join(scratch, "left/a/b/file"))).toBe(true);
  });

  it("loses objects of a store when any sync of the store is left out", async () => {
    const store = JSON.stringify(join(root, "shared/src/objects/folder-store.ts"));
    const recorded = await record(`
      const { createFolderStore } = await import(${store});
      await fs.mkdir(folder + "/data");
      await sync(folder);
      const store = await createFolderStore({ folder: folder + "/data/objects", baseUrl: () => "", secret: "-" });
      await Promise.all(["a", "b", "c"].map((name) => store.put("s/" + name + "/input", Buffer.from(name))));`);
    const lostWithout = async (omit: (step: Step) => boolean = () => false) => {
      const lost = new Set<string>();
      const check = async (folder: string) => {
        for (const name of ["a", "b", "c"])
          for (const [end, size] of [
            ["bytes", 1],
            ["proof", 10],
          ] as const) {
            const path = join(folder, `data/objects/stored/s/${name}/input@${end}`);
            if (!existsSync(path) || readFileSync(path).length < size) lost.add(end);
          }
        return [];
      };
      const random = createSeededRandom(1);
      await cutRepeatedly({ ...recorded, cuts: 1, mercies: ["nothing"], random, omit, check });
      return [...lost];
    };
    const syncs = ({ change }: Step) => change.type === "sync";
    expect(await lostWithout()).toEqual([]);
    expect(await lostWithout((step) => syncs(step) && step.change.path.endsWith("/s/a"))).toContain("proof");
    for (const folder of ["objects", "stored", "stored/s"])
      expect(
        await lostWithout((step) => syncs(step) && step.change.path.endsWith(`/${folder}`)),
        folder,
      ).toContain("bytes");
    expect(await lostWithout((step) => syncs(step) && step.change.path.includes("arriving/"))).toContain(
      "bytes",
    );
  });

  it("keeps a file that the client has replaced", async () => {
    const program = `
      const { replaceFile } = await import(${JSON.stringify(join(root, "cli/src/config/replace-file.ts"))});
      await fs.writeFile(folder + "/file", "old", { flush: true });
      await sync(folder);
      await replaceFile(folder + "/file", "whole");`;
    expect(await leftOf(program, "file")).toEqual(["whole"]);
  });

  it("keeps what `submit --spool` has sealed in a new folder", async () => {
    const input = fileURLToPath(import.meta.url);
    const recorded = await recordCommand(() => [
      join(root, "cli/src/bin.ts"),
      ...["submit", input, "--spool", "new/spool", "--no-code"],
    ]);
    const spool = join(recorded.folder, "new/spool");
    const entry = readdirSync(spool).find((name) => name.startsWith("000001-"))!;
    const check = async (folder: string) => {
      for (const name of readdirSync(join(spool, entry)))
        expect(readFileSync(join(folder, "new/spool", entry, name))).toEqual(
          readFileSync(join(spool, entry, name)),
        );
      return [];
    };
    await cutRepeatedly({ ...recorded, cuts: 1, mercies: ["nothing"], random: createSeededRandom(1), check });
    expect(readFileSync(join(spool, entry, "input"))).toEqual(readFileSync(input));
  });
});
