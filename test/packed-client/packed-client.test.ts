import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../scripts/lib/root.ts";
import { type RunningBroker, startBroker } from "../../scripts/lib/running-broker.ts";
import { type InstalledClient, installClient } from "./installed-client.ts";
import { findMachineNode } from "./machine-node.ts";
import { writeChallenge } from "./mean-challenge.ts";
import { testCommand } from "./test-command.ts";

const machine = findMachineNode();
if (!machine) {
  const reason = "no Node.js 20.19 or newer on the path but the workspace's own";
  if (process.env.CI === "true")
    throw new Error(`The packed client must be tried in CI, and there is ${reason}.`);
  process.stderr.write(`SKIPPED packed client (${reason})\n`);
}

describe.skipIf(!machine)(`the packed client under the machine's Node.js ${machine?.version}`, () => {
  let client: InstalledClient;
  let broker: RunningBroker;
  let folder: string;
  let signedIn: NodeJS.ProcessEnv;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "crowdai-packed-broker-"));
    writeChallenge(join(folder, "challenges/mean"));
    mkdirSync(join(folder, "data"));
    [client, broker] = await Promise.all([
      installClient(machine!),
      startBroker({ data: join(folder, "data"), challenges: join(folder, "challenges") }),
    ]);
    const key = await broker.addParticipant("ada");
    signedIn = { CROWDAI_BROKER: broker.url, CROWDAI_API_KEY: key, CROWDAI_CHALLENGE: "mean" };
  });
  afterAll(async () => {
    await broker?.stop();
    rmSync(folder, { recursive: true, force: true });
    if (client) rmSync(dirname(client.folder), { recursive: true, force: true });
  });

  describe("as a package", () => {
    it("installs itself and the keychain, and nothing else", () => {
      const modules = join(client.folder, "node_modules");
      const installed = readdirSync(modules)
        .filter((name) => !name.startsWith("."))
        .flatMap((name) =>
          name.startsWith("@") ? readdirSync(join(modules, name)).map((part) => `${name}/${part}`) : [name],
        );
      expect(installed).toContain("crowdai");
      expect(installed).toContain("keytar");
      expect(installed.filter((name) => !/^(crowdai|keytar|@napi-rs\/keyring.*)$/.test(name))).toEqual([]);
    });

    it("holds what a participant needs, and stays small", () => {
      const { files, size } = client.packed;
      expect(files.map(({ path }) => path.split("/")[0]).sort()).toEqual(
        expect.arrayContaining(["bin", "dist", "package.json", "crowdai.1"]),
      );
      expect(
        files.filter(
          ({ path }) =>
            !/^(bin|dist)\/|^(package\.json|crowdai\.schema\.json|crowdai\.1|README\.md|LICENSE)$/.test(path),
        ),
      ).toEqual([]);
      expect(
        files.map(({ path }) => path).filter((path) => /\.test\.|\.py$|tsconfig|\.types-/.test(path)),
      ).toEqual(["dist/agent/crowdai_agent.py"]);
      expect(size).toBeLessThan(400_000);
    });

    it("carries no server, no image library and no cloud SDK", () => {
      const code = client.packed.files
        .filter(({ path }) => path.endsWith(".js"))
        .map(({ path }) => readFileSync(join(client.folder, "node_modules/crowdai", path), "utf8"))
        .join("\n");
      for (const stranger of ["@aws-sdk", "sharp", "@hono/node-server", "kysely", "ioredis", "socket.io"])
        expect(code).not.toMatch(new RegExp(`(from|import\\(|require\\()\\s*["']${stranger}["']`));
      expect(code).not.toContain("PRAGMA journal_mode");
    });

    it("can be imported without reading anything outside itself, printing, or keeping the process alive", async () => {
      const done = await client.node(
        [
          "--experimental-permission",
          "--no-warnings",
          `--allow-fs-read=${client.folder}/*`,
          "--input-type=module",
          "--eval",
          `const { Challenge } = await import("crowdai");
           await new Promise((resolve) => setImmediate(resolve));
           console.log(typeof Challenge.open, JSON.stringify(process.getActiveResourcesInfo().filter((name) => name !== "PipeWrap")));`,
        ],
        { env: { HOME: undefined, CROWDAI_CONFIG_DIR: "/nowhere" } },
      );
      expect(done).toEqual({ code: 0, stdout: "function []\n", stderr: "" });
    });

    it.each([{ module: "nodenext" }, { module: "preserve", moduleResolution: "bundler" }])(
      "is typed in a project outside this workspace, with $module",
      async (resolution) => {
        const file = join(client.folder, "typed.ts");
        const compilerOptions = {
          ...resolution,
          strict: true,
          noEmit: true,
          target: "es2024",
          lib: ["es2024", "esnext.disposable", "dom"],
          types: [],
          skipLibCheck: false,
        };
        writeFileSync(file, TYPED);
        writeFileSync(
          join(client.folder, "tsconfig.json"),
          JSON.stringify({ compilerOptions, files: ["typed.ts"] }),
        );
        const done = await client.node([join(root, "node_modules/typescript/bin/tsc"), "-p", "."]);
        expect(done).toEqual({ code: 0, stdout: "", stderr: "" });
      },
    );

    it("names its types where resolution of the kind node10 looks for them", () => {
      const packed = join(client.folder, "node_modules/crowdai");
      const { main, types } = JSON.parse(readFileSync(join(packed, "package.json"), "utf8"));
      for (const file of [main, types]) expect(existsSync(join(packed, file)), file).toBe(true);
    });
  });

  describe("as a command", () => testCommand(() => ({ crowdai: client.crowdai, broker, folder, signedIn })));

  it("sends and prints every digit of a number", async () => {
    const numbers = "[1460323737035677698,0.12345678901234567890]";
    const command = await client.crowdai(["evaluate", "--json", numbers], { env: signedIn });
    expect(command, command.stderr).toMatchObject({ code: 0, stdout: `${numbers}\n` });
    const program = `
      import { Challenge } from "crowdai";
      const { CROWDAI_BROKER: broker, CROWDAI_API_KEY: apiKey } = process.env;
      const challenge = await Challenge.open("mean", { apiKey, broker });
      const [{ data }] = await challenge.evaluate([[1460323737035677698n]]);
      console.log(data.map(String).join());
      await challenge.close();`;
    const done = await client.node(["--input-type=module", "--eval", program], { env: signedIn });
    expect(done, done.stderr).toMatchObject({ code: 0, stdout: "1460323737035677698\n" });
  });

  it("grades from a program through the library, and throws typed errors", async () => {
    const done = await client.node(["--input-type=module", "--eval", PROGRAM], { env: signedIn });
    expect(done, done.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(done.stdout)).toEqual({
      score: 0.75,
      events: true,
      code: "value_schema",
      fault: "you",
    });
  });
});

const PROGRAM = `
import { Challenge, CrowdaiError } from "crowdai";
const { CROWDAI_BROKER: broker, CROWDAI_API_KEY: apiKey } = process.env;
const challenge = await Challenge.open("mean", { apiKey, broker });
let events = false;
const grade = await challenge.submit(new Float64Array([3.5, 4]), { message: "typed array", onProgress: () => { events = true; } });
const refused = await challenge.submit(["five"]).catch((error) => error);
console.log(JSON.stringify({ score: grade.score, events, code: refused instanceof CrowdaiError && refused.code, fault: refused.fault }));
await challenge.close();
`;

const TYPED = `
import { Challenge, CrowdaiError } from "crowdai";
const signal: AbortSignal = AbortSignal.timeout(1000);
export async function main(): Promise<number | null> {
  await using challenge = await Challenge.open("mean", { apiKey: "", broker: "http://localhost:8420" });
  const grade = await challenge.submit(new Float32Array(3), { round: "1", message: "", signal });
  // @ts-expect-error: a message is text
  await challenge.submit([1], { message: 7 }).catch((error: unknown) => error instanceof CrowdaiError && error.exitCode);
  // @ts-expect-error: there is no such thing
  challenge.sumbit;
  const score: number | null = grade.score;
  for await (const event of challenge.submit(new Blob(["1"]), { name: "p.csv" }))
    if (event.type === "graded") return event.submission.score;
  return score;
}
`;
