import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadChallenges } from "./load-challenges.ts";
import { createTestChallenge, createTestFolder, MINIMAL } from "./testing/test-folder.ts";

const config = (id: string) => JSON.stringify({ ...MINIMAL, id, evaluator: { command: ["python3"] } });

describe("a folder of challenges", () => {
  it("holds one in each subfolder that has a challenge.json, and passes over all else", async () => {
    const dir = await createTestFolder({
      "wine/challenge.json": config("wine"),
      "iris/challenge.json": config("iris"),
      "notes/README.md": "",
      ".hidden/challenge.json": config("hidden"),
      "README.md": "",
    });
    const { challenges, mistakes } = await loadChallenges(dir);
    expect(mistakes).toEqual([]);
    expect(challenges.map((challenge) => [challenge.config.id, challenge.dir])).toEqual([
      ["iris", join(dir, "iris")],
      ["wine", join(dir, "wine")],
    ]);
  });

  it("may be a link's target", async () => {
    const dir = await createTestFolder({ linked: { link: await createTestChallenge() } });
    expect((await loadChallenges(dir)).challenges.map(({ config: { id } }) => id)).toEqual(["iris"]);
  });

  it("may be a challenge itself", async () => {
    const dir = await createTestChallenge();
    const { challenges, mistakes } = await loadChallenges(dir);
    expect(mistakes).toEqual([]);
    expect(challenges.map((challenge) => challenge.dir)).toEqual([dir]);
  });

  it("holds none when it is empty or not there", async () => {
    const dir = await createTestFolder();
    expect(await loadChallenges(dir)).toEqual({ challenges: [], mistakes: [] });
    expect(await loadChallenges(join(dir, "none"))).toEqual({ challenges: [], mistakes: [] });
  });

  it("that is a file is a mistake", async () => {
    const dir = await createTestFolder({ challenges: "" });
    const { challenges, mistakes } = await loadChallenges(join(dir, "challenges"));
    expect(challenges).toEqual([]);
    expect(mistakes.map(({ code, message }) => [code, message])).toEqual([
      ["config_invalid", expect.stringMatching(/challenges cannot be read \(ENOTDIR\)/)],
    ]);
  });

  it("still holds the good ones when others have mistakes, and tells those apart", async () => {
    const dir = await createTestFolder({
      "a/challenge.json": "{",
      "b/challenge.json": config("b"),
      "c/challenge.json": "{}",
    });
    const { challenges, mistakes } = await loadChallenges(dir);
    expect(challenges.map(({ config: { id } }) => id)).toEqual(["b"]);
    expect(mistakes.map(({ message }) => message.split("\n")[0])).toEqual([
      "a has a mistake:",
      "c has 4 mistakes:",
    ]);
    expect(mistakes.map(({ details }) => basename(details?.folder as string))).toEqual(["a", "c"]);
  });

  it("keeps the first of two challenges with the same id and refuses the other", async () => {
    const dir = await createTestFolder({
      "new/challenge.json": config("iris"),
      "old/challenge.json": config("iris"),
    });
    const { challenges, mistakes } = await loadChallenges(dir);
    expect(challenges.map((challenge) => basename(challenge.dir))).toEqual(["new"]);
    expect(mistakes.map(({ message }) => message)).toEqual([
      'old has a mistake:\n  challenge.json: id: expected an id of its own, got "iris", which new has',
    ]);
  });

  it("is read anew each time", async () => {
    const dir = await createTestFolder({ "a/challenge.json": config("a") });
    await loadChallenges(dir);
    await writeFile(join(dir, "a/challenge.json"), config("b"));
    await mkdir(join(dir, "c"));
    await writeFile(join(dir, "c/challenge.json"), config("c"));
    expect((await loadChallenges(dir)).challenges.map(({ config: { id } }) => id)).toEqual(["b", "c"]);
  });
});
