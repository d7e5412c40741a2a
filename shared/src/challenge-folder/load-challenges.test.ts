import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadChallenges } from "./load-challenges.ts";
import { createTestChallenge, createTestFolder, MINIMAL } from "./testing/test-folder.ts";

const config = (id: string) => JSON.stringify({ ...MINIMAL, id, evaluator: { command: ["python3"] } });

describe("a folder of challenges", () => {
  it("has a challenge in each subfolder with a challenge.json, and ignores everything else", async () => {
    const dir = await createTestFolder({
      "wine/challenge.json": config("wine"),
      "iris/challenge.json": config("iris"),
      "notes/README.md": "",
      ".hidden/challenge.json": config("hidden"),
      "README.md": "",
    });
    const { challenges, problems } = await loadChallenges(dir);
    expect(problems).toEqual([]);
    expect(challenges.map((challenge) => [challenge.config.id, challenge.dir])).toEqual([
      ["iris", join(dir, "iris")],
      ["wine", join(dir, "wine")],
    ]);
  });

  it("may be reached through a link", async () => {
    const dir = await createTestFolder({ linked: { link: await createTestChallenge() } });
    expect((await loadChallenges(dir)).challenges.map(({ config: { id } }) => id)).toEqual(["iris"]);
  });

  it("may be a challenge itself", async () => {
    const dir = await createTestChallenge();
    const { challenges, problems } = await loadChallenges(dir);
    expect(problems).toEqual([]);
    expect(challenges.map((challenge) => challenge.dir)).toEqual([dir]);
  });

  it("has no challenges when it is empty or does not exist", async () => {
    const dir = await createTestFolder();
    expect(await loadChallenges(dir)).toEqual({ challenges: [], problems: [] });
    expect(await loadChallenges(join(dir, "none"))).toEqual({ challenges: [], problems: [] });
  });

  it("that is a file is a problem", async () => {
    const dir = await createTestFolder({ challenges: "" });
    const { challenges, problems } = await loadChallenges(join(dir, "challenges"));
    expect(challenges).toEqual([]);
    expect(problems.map(({ code, message }) => [code, message])).toEqual([
      ["config_invalid", expect.stringMatching(/challenges cannot be read \(ENOTDIR\)/)],
    ]);
  });

  it("still has the valid challenges when others are invalid, and reports the others", async () => {
    const dir = await createTestFolder({
      "a/challenge.json": "{",
      "b/challenge.json": config("b"),
      "c/challenge.json": "{}",
    });
    const { challenges, problems } = await loadChallenges(dir);
    expect(challenges.map(({ config: { id } }) => id)).toEqual(["b"]);
    expect(problems.map(({ message }) => message.split("\n")[0])).toEqual([
      "a has 1 problem:",
      "c has 4 problems:",
    ]);
    expect(problems.map(({ details }) => basename(details?.folder as string))).toEqual(["a", "c"]);
  });

  it("keeps the first of two challenges with the same id, and rejects the other", async () => {
    const dir = await createTestFolder({
      "new/challenge.json": config("iris"),
      "old/challenge.json": config("iris"),
    });
    const { challenges, problems } = await loadChallenges(dir);
    expect(challenges.map((challenge) => basename(challenge.dir))).toEqual(["new"]);
    expect(problems.map(({ message }) => message)).toEqual([
      'old has 1 problem:\n  challenge.json: id: expected a unique id, got "iris", which new also has',
    ]);
  });

  it("is re-read each time", async () => {
    const dir = await createTestFolder({ "a/challenge.json": config("a") });
    await loadChallenges(dir);
    await writeFile(join(dir, "a/challenge.json"), config("b"));
    await mkdir(join(dir, "c"));
    await writeFile(join(dir, "c/challenge.json"), config("c"));
    expect((await loadChallenges(dir)).challenges.map(({ config: { id } }) => id)).toEqual(["b", "c"]);
  });
});
