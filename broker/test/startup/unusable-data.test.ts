import { execFile } from "node:child_process";
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../support/run-command.ts";
import { cannotMount, withSmallDisk } from "../support/small-disk.ts";
import { writeChallenge } from "../support/test-broker.ts";

const BROKER = fileURLToPath(new URL("../../dist/bin.js", import.meta.url));

let folder: string;
let data: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "crowdai-unusable-"));
  data = join(folder, "crowdai-data");
  await writeChallenge(join(folder, "challenges"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const records = () => join(data, "records.sqlite");
const COMMANDS = [
  ["start", "--port", "0"],
  ["participant", "list"],
  ["challenge", "list"],
  ["challenge", "regrade", "test", "--status"],
];

/** Overwrites what is stored after the first page, which describes the tables. */
async function damage(path: string): Promise<void> {
  const file = await open(path, "r+");
  const { size } = await file.stat();
  await file.write(Buffer.alloc(size - 100, 0xa5), 0, size - 100, 100);
  await file.close();
}

describe("an unusable data folder is one error with the next step", () => {
  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      "a database that is not one",
      async () => {
        await mkdir(data);
        await writeFile(records(), Buffer.alloc(9000, "x"));
      },
      /records\.sqlite is damaged/,
    ],
    [
      "a damaged database",
      async () => {
        await runCommand(folder, ["participant", "add", "ada"]);
        await damage(records());
      },
      /records\.sqlite is damaged/,
    ],
    [
      "a folder in place of the database",
      () => mkdir(records(), { recursive: true }),
      /records\.sqlite cannot be used: it is a folder/,
    ],
    [
      "a file in place of the folder",
      () => writeFile(data, ""),
      /crowdai-data.* cannot be used: (something else has that name|a part of the path is not a folder)/,
    ],
  ])("%s", async (_, spoil, message) => {
    await spoil();
    for (const command of COMMANDS) {
      const { code, stdout, stderr } = await runCommand(folder, command);
      expect([command, code, stdout, stderr.trim().split("\n")]).toEqual([
        command,
        2,
        "",
        [expect.stringMatching(message), expect.stringMatching(/choose another/)],
      ]);
      expect(stderr).toMatch(/^error\[data_unusable\]: /);
    }
  });

  it("a folder in place of the note for other commands", async () => {
    await mkdir(join(data, "broker.json"), { recursive: true });
    const { code, stderr } = await runCommand(folder, ["start", "--port", "0"]);
    expect([code, stderr.trim().split("\n")]).toEqual([
      2,
      [
        expect.stringMatching(/^error\[data_unusable\]: .*broker\.json cannot be used: it is a folder/),
        expect.stringMatching(/choose another/),
      ],
    ]);
  });

  it("a file in place of the folder of challenges", async () => {
    const challenges = join(folder, "a-file");
    await writeFile(challenges, "");
    const { code, stderr } = await runCommand(folder, ["start", "--port", "0", "--challenges", challenges]);
    expect([code, stderr.trim().split("\n")]).toEqual([
      2,
      [expect.stringContaining("error[config_invalid]"), expect.stringContaining("Name a readable folder")],
    ]);
  });

  it("a damaged mark of the object store", async () => {
    const start = ["start", "--port", "0"];
    await runCommand(folder, start, { whenReady: (stop) => stop() });
    const mark = join(data, "objects/stored/instance.json@bytes");
    await writeFile(mark, (await readFile(mark, "utf8")).replace("{", "["));
    const { code, stderr } = await runCommand(folder, start);
    expect([code, stderr.trim().split("\n")]).toEqual([
      2,
      [expect.stringContaining("error[data_mixed]"), expect.stringContaining("Point --data")],
    ]);
  });

  it.skipIf(cannotMount())("a read-only file system", async () => {
    await mkdir(data);
    for (const command of COMMANDS.slice(0, 2)) {
      const remount = 'mount -o remount,ro "$1" && shift && exec "$@"';
      const [program, ...args] = withSmallDisk({ folder: data, size: "8m" }, [
        ...["sh", "-c", remount, "sh", data, process.execPath, BROKER],
        ...command,
      ]);
      const [code, stderr] = await new Promise<[number | null, string]>((resolve) => {
        const child = execFile(program, args, { cwd: folder }, (_error, _stdout, stderr) =>
          resolve([child.exitCode, stderr]),
        );
      });
      expect([command, code, stderr.trim().split("\n")]).toEqual([
        command,
        2,
        [
          expect.stringMatching(
            /^error\[data_unusable\]: .*crowdai-data.* cannot be used: the file system is read-only/,
          ),
          expect.stringMatching(/choose another/),
        ],
      ]);
    }
  });
});

it.each([
  ["a host that does not exist", ["--host", "no-such-host.invalid", "--port", "0"]],
  ["an address of another machine", ["--host", "192.0.2.1", "--port", "0"]],
])("%s is one error with the next step", async (_, flags) => {
  const { code, stderr } = await runCommand(folder, ["start", ...flags]);
  expect([code, stderr.trim().split("\n")]).toEqual([
    2,
    [
      expect.stringMatching(/^error\[config_invalid\]: Cannot listen on /),
      expect.stringMatching(/Choose another --host/),
    ],
  ]);
});
