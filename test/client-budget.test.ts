import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startContractBroker } from "../cli/test/contract-broker.ts";
import type { ContractBroker } from "../cli/test/contract-types.ts";
import { root } from "../scripts/lib/root.ts";

/**
 * Writes what a process has loaded to the file in LOADED: our files and their bytes, and the modules of
 * Node.js.
 */
const COUNTER = `
const { registerHooks } = require("node:module");
const { statSync, writeFileSync } = require("node:fs");
const files = {};
registerHooks({
  load(url, context, next) {
    if (url.startsWith("file:")) files[url.slice(url.lastIndexOf("/") + 1)] = statSync(new URL(url)).size;
    return next(url, context);
  },
});
process.on("exit", () =>
  writeFileSync(process.env.LOADED, JSON.stringify({
    files,
    builtins: process.moduleLoadList.filter((name) => name.startsWith("NativeModule ")).map((name) => name.slice(13)),
  })),
);
`;

let folder: string;
let broker: ContractBroker;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "crowdai-budget-"));
  writeFileSync(join(folder, "counter.cjs"), COUNTER);
  writeFileSync(join(folder, "predictions.csv"), "id,species\n1,setosa\n");
  broker = await startContractBroker();
});
afterAll(async () => {
  await broker?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the built command under the pinned Node.js. */
async function loaded(args: readonly string[], home = folder, more: Record<string, string> = {}) {
  const file = join(folder, "loaded.json");
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    CROWDAI_CONFIG_DIR: join(folder, "config"),
    CROWDAI_BROKER: broker.url,
    CROWDAI_API_KEY: broker.key,
    CROWDAI_CHALLENGE: "iris",
    LOADED: file,
    ...more,
  };
  const command = ["--require", join(folder, "counter.cjs"), join(root, "cli/bin/crowdai.js"), ...args];
  await promisify(execFile)(join(root, "node_modules/node/bin/node"), command, {
    cwd: folder,
    env,
  });
  const { files, builtins } = JSON.parse(readFileSync(file, "utf8")) as {
    files: Record<string, number>;
    builtins: string[];
  };
  const bytes = Object.values(files).reduce((sum, size) => sum + size, 0);
  return { files: Object.keys(files), bytes, builtins };
}

/** Each costs tens of milliseconds, and none is needed to reach a broker over HTTP. */
const COSTLY = ["internal/deps/undici/undici", "internal/crypto/webcrypto", "tls", "https", "worker_threads"];

test.each([
  { args: ["--help"], files: 1, kilobytes: 4 },
  { args: ["--version"], files: 1, kilobytes: 4 },
  { args: ["submit", "--help"], files: 1, kilobytes: 4 },
  { args: ["whoami"], files: 6, kilobytes: 300 },
  { args: ["leaderboard"], files: 6, kilobytes: 300 },
  { args: ["submissions"], files: 6, kilobytes: 300 },
  { args: ["limits"], files: 6, kilobytes: 300 },
  { args: ["submit", "--json", "[1]"], files: 10, kilobytes: 480 },
  { args: ["check", "--json", "[1]"], files: 12, kilobytes: 480 },
  { args: ["submit", "predictions.csv"], files: 10, kilobytes: 480 },
])("`crowdai $args` loads at most $files files and $kilobytes kB", async ({ args, files, kilobytes }) => {
  const found = await loaded(args);
  expect(found.files.length, found.files.join(" ")).toBeLessThanOrEqual(files);
  expect(found.bytes, found.files.join(" ")).toBeLessThan(kilobytes * 1000);
  expect(found.builtins.filter((name) => COSTLY.includes(name))).toEqual([]);
});

test("`crowdai show` loads what other reading commands do", async () => {
  const [id = ""] = broker.kept.keys();
  const { files, bytes } = await loaded(["show", id]);
  expect(files.length, files.join(" ")).toBeLessThanOrEqual(6);
  expect(bytes).toBeLessThan(300_000);
});

test("reading commands load no modules for processes, digests or compression either", async () => {
  for (const command of ["whoami", "leaderboard"]) {
    const { builtins } = await loaded([command]);
    expect(builtins.filter((name) => ["child_process", "crypto", "zlib"].includes(name))).toEqual([]);
  }
});

test("compiled code is kept in the user's own cache folder, and never where others can write", async () => {
  const home = mkdtempSync(join(folder, "home-"));
  const compiled = join(home, ".cache/crowdai/compiled");
  await loaded(["whoami"], home, { NODE_DISABLE_COMPILE_CACHE: "1" });
  expect(readdirSync(compiled)).toEqual([]);
  await loaded(["whoami"], home);
  expect(readdirSync(compiled)).not.toEqual([]);
  expect(statSync(compiled).mode & 0o777).toBe(0o700);

  rmSync(compiled, { recursive: true });
  mkdirSync(compiled);
  chmodSync(compiled, 0o777);
  await loaded(["whoami"], home);
  expect(readdirSync(compiled)).toEqual([]);
  await loaded(["whoami"], "/dev/null");
  await loaded(["whoami"], "relative");
  expect(existsSync(join(folder, "relative"))).toBe(false);
});
