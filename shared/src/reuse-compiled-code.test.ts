import { execFile } from "node:child_process";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";

const PROGRAM = `
  const { reuseCompiledCode } = await import(${JSON.stringify(join(import.meta.dirname, "reuse-compiled-code.ts"))});
  reuseCompiledCode(process.env);
  console.log((await import("node:module")).getCompileCacheDir?.() ?? "none");
`;

/** Resolves to the folder in which a process with this environment caches compiled code. */
async function cacheFolder(env: Record<string, string>): Promise<string> {
  const args = ["--input-type=module", "-e", PROGRAM];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  return stdout.trim();
}

async function temporaryHome(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "crowdai-compiled-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

const isNode = !process.versions.bun;

it.runIf(isNode)("keeps compiled code in the user's cache folder", async () => {
  const HOME = await temporaryHome();
  expect(await cacheFolder({ HOME })).toContain(join(HOME, ".cache/crowdai/compiled"));
  const named = await temporaryHome();
  expect(await cacheFolder({ HOME, XDG_CACHE_HOME: named })).toContain(join(named, "crowdai/compiled"));
});

it("keeps none when turned off, without a home folder, or in one that others can write to", async () => {
  const HOME = await temporaryHome();
  expect(await cacheFolder({ HOME, NODE_DISABLE_COMPILE_CACHE: "1" })).toBe("none");
  expect(await cacheFolder({})).toBe("none");
  await chmod(HOME, 0o777);
  expect(await cacheFolder({ HOME })).toBe("none");
  expect(await readdir(HOME)).toEqual([]);
});

it.runIf(isNode)("leaves a folder that NODE_COMPILE_CACHE names as it is", async () => {
  const [HOME, named] = [await temporaryHome(), await temporaryHome()];
  expect(await cacheFolder({ HOME, NODE_COMPILE_CACHE: named })).toContain(named);
  expect(await readdir(HOME)).toEqual([]);
});
