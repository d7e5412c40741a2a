import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { root } from "../../../scripts/lib/root.ts";
import { missing } from "../../../test/required-programs.ts";
import { startContractBroker } from "../../test/contract-broker.ts";
import type { ContractBroker } from "../../test/contract-types.ts";
import { type GitHost, startGitHost } from "../../test/git-host.ts";
import { makeProject, type Project } from "../../test/project.ts";
import { type RunOptions, runCli } from "../../test/run-cli.ts";

const BUILT = join(root, "cli/bin/crowdai.js");

let broker: ContractBroker;
let host: GitHost;
let project: Project;
beforeEach(async () => {
  [broker, host] = await Promise.all([
    startContractBroker({ code: { capture: "required" } }),
    startGitHost(),
  ]);
  broker.code = ({ id }) => ({ url: host.url, ref: `refs/incoming/${id}`, have: false });
  project = makeProject();
  project.write("predictions.csv", "id,species\n1,setosa\n");
});
afterEach(async () => {
  await Promise.all([broker.close(), host[Symbol.asyncDispose](), project[Symbol.asyncDispose]()]);
});

const submit = (env: RunOptions["env"]) =>
  runCli(["submit", "predictions.csv", "-c", "iris", "--code", "."], {
    cwd: project.folder,
    env: { ...project.env, CROWDAI_BROKER: broker.url, CROWDAI_API_KEY: broker.key, ...env },
  });
const refs = () => host.git("for-each-ref", "--format=%(refname)").split("\n").filter(Boolean);
const intents = () => broker.received.filter(({ what }) => what === "submit");

describe.skipIf(missing("git"))("where the user's folders cannot be written,", () => {
  test.each([
    ["the home folder", { HOME: "/dev/null", CROWDAI_CONFIG_DIR: undefined }],
    ["CROWDAI_CONFIG_DIR", { CROWDAI_CONFIG_DIR: "/dev/null/crowdai" }],
  ])("%s, the code arrives all the same", async (_, env) => {
    const { code, stderr } = await submit(env);
    expect({ code, refs: refs() }).toMatchObject({ code: 0, refs: [expect.stringContaining("incoming")] });
    expect(stderr).toContain("cannot be written: if sending the code fails, it cannot be sent again later");
    expect(stderr).not.toContain("was not sent");
  });

  test("code that could not be sent is not said to be sent again by `watch`", async () => {
    broker.code = ({ id }) => ({ url: "http://127.0.0.1:1/x.git", ref: `refs/incoming/${id}`, have: false });
    const { stderr } = await submit({ HOME: "/dev/null", CROWDAI_CONFIG_DIR: undefined });
    expect(stderr).toContain("was not sent");
    expect(stderr).toContain("crowdai cancel");
    expect(stderr).not.toContain("crowdai watch");
  });

  test("notes that cannot be written leave the submission as it is", async () => {
    const user = join(project.home, "crowdai");
    mkdirSync(join(user, "code"), { recursive: true });
    for (const name of ["unfinished", "code/awaited"]) writeFileSync(join(user, name), "in the way");
    const { code, stderr } = await submit({ CROWDAI_CONFIG_DIR: user });
    expect({ code, refs: refs().length }).toEqual({ code: 0, refs: 1 });
    expect(stderr).not.toContain("was not sent");
  });

  test("code that can be stored nowhere is refused before a submission is announced", async () => {
    const before = process.env.TMPDIR;
    process.env.TMPDIR = "/dev/null";
    try {
      const { code, stderr } = await submit({ HOME: "/dev/null", CROWDAI_CONFIG_DIR: undefined });
      expect({ code, intents: intents() }).toEqual({ code: 2, intents: [] });
      expect(stderr).toContain("error[file_unwritable]: The code cannot be stored");
      const piped = await runCli(["submit", "-", "-c", "iris", "--no-code"], {
        cwd: project.folder,
        stdin: "1",
        env: { CROWDAI_BROKER: broker.url, CROWDAI_API_KEY: broker.key },
      });
      expect(piped.stderr).not.toContain("bug");
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
  });
});

describe.skipIf(process.getuid?.() !== 0)("a user whom the system does not know, without HOME,", () => {
  test.each([
    [["config", "--format", "json"], 0, ""],
    [["whoami"], 3, "error[no_key]"],
    [
      ["submit", "predictions.csv", "-c", "iris", "--no-code", "--broker", "http://127.0.0.1:1"],
      3,
      "error[no_key]",
    ],
    [["challenges", "--broker", "http://127.0.0.1:1"], 5, "error[broker_unreachable]"],
  ] as const)("can run %j", async (args, code, expected) => {
    chmodSync(project.home.replace(/\/home$/, ""), 0o755);
    chmodSync(project.folder, 0o755);
    const child = spawn(process.execPath, [BUILT, ...args], {
      cwd: project.folder,
      uid: 54_321,
      gid: 54_321,
      env: { PATH: process.env.PATH },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (part) => {
        text += part;
      });
    const [exit] = await once(child, "close");
    expect({ exit, text }).toEqual({ exit: code, text: expect.stringContaining(expected) });
    expect(text).not.toContain("bug");
  });
});
