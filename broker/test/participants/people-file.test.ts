import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isApiKey } from "@crowdai/shared";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listParticipants } from "../../src/domain/participants/list-participants.ts";
import { openSqlite } from "../../src/records/sqlite.ts";
import { writeMigratedSqlite } from "../support/migrated-sqlite.ts";
import { type Ran, runCommand } from "../support/run-command.ts";

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "crowdai-people-"));
  await writeMigratedSqlite(join(cwd, "crowdai-data", "records.sqlite"));
});
afterAll(() => rm(cwd, { recursive: true }));

async function add(file: string | Uint8Array, ...args: string[]): Promise<Ran> {
  await writeFile(join(cwd, "people.csv"), file);
  return runCommand(cwd, ["participant", "add", "--from", "people.csv", ...args]);
}
async function participants() {
  const records = await openSqlite(join(cwd, "crowdai-data", "records.sqlite"));
  try {
    return await listParticipants(records.db);
  } finally {
    await records.close();
  }
}
const printed = ({ stdout }: Ran): Record<string, string>[] => parse(stdout, { columns: true });

describe("participant add --from", () => {
  it("prints each name with its key, whatever the spreadsheet made of the file", async () => {
    const ran = await add('\ufeffName;E-mail\r\n"O\'Neill, ""Tip""";x@y\r\n\r\n Zoe\u0308 ;\r\n;\r\nÅsa\r\n');
    expect(ran).toMatchObject({
      code: 0,
      stderr: "Added 3 participants. The keys are shown only once.\nnote: ignored the column E-mail.\n",
    });
    expect(ran.stdout).toMatch(/^name,key\n"O'Neill, ""Tip""",crowdai_/);
    const rows = printed(ran);
    expect(rows.map(({ name }) => name)).toEqual(['O\'Neill, "Tip"', "Zo\u00eb", "Åsa"]);
    expect(rows.every(({ key }) => isApiKey(key as string))).toBe(true);
    expect(new Set(rows.map(({ key }) => key)).size).toBe(3);
  });

  it("prints no name that a spreadsheet would run as a formula", async () => {
    const ran = await add('name,member\n"=HYPERLINK(""http://x"",""y"")",\n@team,+1\n');
    expect(printed(ran).map(({ name, member }) => [name, member])).toEqual([
      [`'=HYPERLINK("http://x","y")`, ""],
      ["'@team", "'+1"],
    ]);
    expect((await participants()).map(({ name }) => name)).toContain("@team");
  });

  it("adds teams with a key for each member, and invitations", async () => {
    const ran = await add(
      'name,member,label,challenges\nRocket,Ada,,"a, b"\nrocket,Grace,desk,a\nrocket,Grace,CI,\nsolo,,,b\n',
    );
    expect(ran).toMatchObject({
      code: 0,
      stderr: "Added 2 participants with 4 keys. The keys are shown only once.\n",
    });
    expect(printed(ran).map(({ name, label, member }) => [name, label, member])).toEqual([
      ["Rocket", "", "Ada"],
      ["rocket", "desk", "Grace"],
      ["rocket", "CI", "Grace"],
      ["solo", "", ""],
    ]);
    const rocket = (await participants()).find(({ name }) => name === "Rocket");
    expect(rocket?.keys.map(({ label, member }) => [label, member]).sort()).toEqual([
      ["Ada", "Ada"],
      ["CI", "Grace"],
      ["desk", "Grace"],
    ]);
    const invited = (await runCommand(cwd, ["participant", "invitations"])).stdout.split("\n");
    expect(invited.map((line) => line.split("\t").slice(0, 2).join(" ")).filter(Boolean)).toEqual([
      "a Rocket",
      "b Rocket",
      "b solo",
    ]);
  });

  it("adds none when a line is wrong, and names every such line", async () => {
    const before = (await participants()).length;
    const ran = await add(
      "name,member,challenges\nnew,,\nx,,\nNEW,,\nZo\u0308e,,a b/c\n,Ada,\nfour,,,,\nteam,Ada,\nteam,ada,\n\u202eevil,,\n",
    );
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toContain(`The file has errors, so nothing was added:
  line 3: "x" is not a valid name
  line 4: "NEW" is already on line 2
  line 6: the name is missing
  line 7: it has 5 values, and the header 3
  line 9: "team" has a key "ada" already on line 8
  line 10: `);
    expect((await add("name,challenges\nnew,a b/c\n")).stderr).toContain(
      'line 2: "b/c" is not a challenge id',
    );
    const taken = await add("name\nnew\nZOË\nsolo\n");
    expect(taken.stderr).toContain('line 3: there is already a participant named "ZOË"');
    expect(taken.stderr).toContain('line 4: there is already a participant named "solo"');
    expect((await participants()).length).toBe(before);
  });

  it.each([
    ["an empty file", "", 'no column "name"'],
    ["no header", "ada\ngrace\n", 'no column "name"'],
    ["a header alone", "name\n\n", "names no participants"],
    ["another encoding", Buffer.from("name\nZo\u00eb\n", "latin1"), "not UTF-8"],
    ["an open quote", 'name\n"ada\n', "not valid CSV"],
    ["a column twice", "name,name\nada,ada\n", 'two columns "name"'],
  ])("refuses %s", async (_what, file, problem) => {
    expect(await add(file)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(problem) });
  });

  it("refuses a file that is missing, and other options beside it", async () => {
    for (const args of [
      ["--from", "nothing.csv"],
      ["ada", "--from", "people.csv"],
      ["--from", "people.csv", "--label", "x"],
      [],
    ])
      expect(await runCommand(cwd, ["participant", "add", ...args])).toMatchObject({ code: 2, stdout: "" });
  });

  it("adds two thousand at once, as JSON too", async () => {
    const names = Array.from({ length: 2000 }, (_, n) => `Jürgen Müller ${n}`);
    const ran = await add(["name", ...names].join("\n"), "--format", "json");
    expect(ran.code).toBe(0);
    const { participants: made } = JSON.parse(ran.stdout);
    expect(made.map(({ name }: { name: string }) => name)).toEqual(names);
    expect(isApiKey(made[1999].key)).toBe(true);
    expect((await add(["name", ...names].join("\n"))).stderr).toContain("… and 1980 more");
  });
});
