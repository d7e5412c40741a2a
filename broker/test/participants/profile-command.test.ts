import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Leaderboard, Profile } from "@crowdai/shared";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jsonLines, type Run, runCli, temporaryFolder } from "../../../cli/test/run-cli.ts";
import { addOrganizer } from "../../src/domain/participants/api-keys.ts";
import { hugePng } from "../media/huge-png.ts";
import { runCommand } from "../support/run-command.ts";
import { startBroker, type TestBroker, untilEnd } from "../support/test-broker.ts";

let test: TestBroker;
let home: Awaited<ReturnType<typeof temporaryFolder>>;
let grace: string;
beforeAll(async () => {
  test = await startBroker({ env: { PATH: process.env.PATH ?? "" } });
  home = await temporaryFolder();
  await participant("add", "Rocket", "--member", "Ada");
  grace = (await participant("key", "Rocket", "--member", "Grace", "--keep-others")).stdout.trim();
  await writeFile(join(home.path, "photo.jpg"), await photo());
});
afterAll(async () => {
  await test?.close();
  await home?.[Symbol.asyncDispose]();
});

const photo = () =>
  sharp({ create: { width: 40, height: 80, channels: 3, background: "#a33" } })
    .jpeg()
    .withExif({ IFD3: { GPSLatitude: "12/1 34/1 56/1" } })
    .toBuffer();
const participant = (...args: string[]) =>
  runCommand(test.folder, ["participant", ...args, "--data", "data"]);
const profile = (key: string, ...args: string[]): Promise<Run> =>
  runCli(["profile", ...args], {
    cwd: home.path,
    env: { CROWDAI_BROKER: test.broker.url, CROWDAI_API_KEY: key },
  });

describe("crowdai profile", () => {
  it("shows and changes each part, in every format", async () => {
    expect((await profile(grace)).stdout).toBe(
      "Shown name   not set\nAffiliation  not set\nLink         not set\nPicture      not set\n",
    );
    const set = await profile(
      grace,
      "--name",
      "The Rockets",
      "--link",
      "https://rocket.example",
      "--format",
      "json",
    );
    expect(set.code).toBe(0);
    expect(JSON.parse(set.stdout)).toMatchObject({
      profile: { name: "The Rockets", affiliation: null, link: "https://rocket.example/", picture: null },
    });
    const [line] = jsonLines((await profile(grace, "--picture", "photo.jpg", "--format", "ndjson")).stdout);
    expect(line).toMatchObject({ type: "profile", name: "The Rockets" });
    const bytes = Buffer.from(await (await fetch(line.picture)).arrayBuffer());
    const shown = await sharp(bytes).metadata();
    expect([shown.format, shown.width, shown.height, shown.exif]).toEqual(["webp", 40, 80, undefined]);
    expect((await profile(grace, "--link", "", "--quiet")).stdout).toBe("The Rockets\n");
    const without = JSON.parse((await profile(grace, "--remove-picture", "--format", "json")).stdout);
    expect(without.profile).toMatchObject({ name: "The Rockets", link: null, picture: null });
    expect((await fetch(line.picture)).status).toBe(404);
  });

  it.each([
    [["--picture", "missing.png"], "cannot be read"],
    [["--picture", "."], "is not a file"],
    [["--clear", "--name", "x"], "pass it alone"],
    [["--picture", "photo.jpg", "--remove-picture"], "either --picture or --remove-picture"],
    [["--link", "javascript:alert(1)"], "must be an address"],
    [["--name", "a\u202eb"], "must be one line"],
    [["--picture", "bomb.png"], "more than 100 million pixels"],
  ])("refuses %j with the reason, and changes nothing", async (args, reason) => {
    await writeFile(join(home.path, "bomb.png"), hugePng());
    const before = (await profile(grace)).stdout;
    const refused = await profile(grace, ...args);
    expect([refused.code, refused.stderr.includes(reason)], refused.stderr).toEqual([2, true]);
    expect((await profile(grace)).stdout).toBe(before);
    expect(await readdir(join(test.folder, "data", "pictures"))).toEqual([]);
  });
});

it("belongs to the team, beside its members, and leaves the board with a disqualification", async () => {
  const client = await test.connect({ key: grace });
  const { submission } = await client.submit({ input: { kind: "inline", data: { score: 1 } } });
  await untilEnd(client, submission.id);
  await profile(grace, "--name", "The Rockets", "--affiliation", "Space");
  const board = async () =>
    ((await (await test.fetch("/api/v1/challenges/test/leaderboard")).json()) as Leaderboard).rows;
  expect(await board()).toMatchObject([
    {
      participant: "Rocket",
      members: ["Ada", "Grace"],
      profile: { name: "The Rockets", affiliation: "Space", link: null, picture: null },
    },
  ]);
  await participant("disqualify", "Rocket", "--reason", "x");
  expect(await board()).toEqual([]);
  await participant("reinstate", "Rocket");
  expect(await board()).toMatchObject([{ profile: { name: "The Rockets" } }]);
});

it("is nothing that organizers and visitors without a key have", async () => {
  const organizer = await addOrganizer(test.records, "olga", ["test"], new Date().toISOString());
  for (const [key, status] of [
    [organizer, 403],
    [null, 401],
  ] as const)
    for (const [method, path] of [
      ["GET", ""],
      ["PATCH", ""],
      ["DELETE", ""],
      ["PUT", "/picture"],
      ["DELETE", "/picture"],
    ] as const) {
      const body = method === "PATCH" || method === "PUT" ? { name: "x" } : undefined;
      const answer = await test.fetch(`/api/v1/profile${path}`, { key, method, body });
      expect([method, path, answer.status]).toEqual([method, path, status]);
    }
});

it("keeps one picture when several are set at once", async () => {
  const file = new Uint8Array(await photo());
  const put = () =>
    fetch(`${test.broker.url}/api/v1/profile/picture`, {
      method: "PUT",
      headers: { authorization: `Bearer ${test.key}` },
      body: file,
    });
  const folder = join(test.folder, "data", "objects", "stored", "profiles");
  const before = await readdir(folder);
  const answers = await Promise.all([put(), put(), put()]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  const shown = (await (await test.fetch("/api/v1/profile")).json()) as Profile;
  const added = (await readdir(folder)).filter((file) => !before.includes(file));
  const name = new URL(shown.picture as string).pathname.split("/").at(-1);
  expect(added.sort()).toEqual([`${name}@bytes`, `${name}@proof`]);
});
