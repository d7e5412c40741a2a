import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CrowdaiError } from "@crowdai/shared";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../test/run-cli.ts";
import { configFolder } from "./config-folder.ts";
import { brokerAddress, chosenChallenge, resolveSettings } from "./settings.ts";
import { writeUserSetting } from "./user-config.ts";

async function world(project?: unknown, user?: unknown) {
  const folder = await temporaryFolder();
  const cwd = join(folder.path, "project", "deep", "below");
  const env: Record<string, string> = { CROWDAI_CONFIG_DIR: join(folder.path, "user") };
  await mkdir(cwd, { recursive: true });
  await mkdir(env.CROWDAI_CONFIG_DIR!);
  const write = (path: string, value: unknown) =>
    writeFile(join(folder.path, path), typeof value === "string" ? value : JSON.stringify(value));
  if (project !== undefined) await write("project/crowdai.json", project);
  if (user !== undefined) await write("user/config.json", user);
  return { folder, cwd, env, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

function caught(work: () => unknown): CrowdaiError {
  try {
    work();
  } catch (error) {
    return error as CrowdaiError;
  }
  throw new Error("nothing was thrown");
}

test("a setting comes from flag, environment, nearest crowdai.json, user config, default, in that order", async () => {
  await using here = await world(
    { challenge_id: "from-project", broker: "http://project:1" },
    { challenge: "from-user", broker: "http://user:1" },
  );
  const { cwd, env, folder } = here;
  const flags = { broker: "http://flag:1", challenge: "from-flag" };
  const variables = { ...env, CROWDAI_BROKER: "http://env:1", CROWDAI_CHALLENGE: "from-env" };

  expect(resolveSettings({ env: variables, cwd, flags })).toMatchObject({
    broker: "http://flag:1",
    challenge: "from-flag",
    sources: { broker: "--broker", challenge: "--challenge" },
  });
  expect(resolveSettings({ env: variables, cwd })).toMatchObject({
    broker: "http://env:1",
    challenge: "from-env",
    sources: { broker: "CROWDAI_BROKER", challenge: "CROWDAI_CHALLENGE" },
  });
  const file = join(folder.path, "project", "crowdai.json");
  expect(resolveSettings({ env, cwd })).toMatchObject({
    broker: "http://project:1",
    challenge: "from-project",
    sources: { broker: file, challenge: file },
    project: { path: file },
  });
  expect(resolveSettings({ env, cwd: folder.path })).toMatchObject({
    broker: "http://user:1",
    challenge: "from-user",
    sources: { broker: join(folder.path, "user", "config.json") },
    project: null,
  });
  expect(resolveSettings({ env: { CROWDAI_CONFIG_DIR: folder.path }, cwd: folder.path })).toMatchObject({
    broker: "http://localhost:8420",
    challenge: null,
    sources: { broker: "default", challenge: null },
  });
});

test("an empty variable counts as unset", async () => {
  await using here = await world({ challenge_id: "iris" });
  const env = { ...here.env, CROWDAI_CHALLENGE: "", CROWDAI_BROKER: "" };
  expect(resolveSettings({ env, cwd: here.cwd })).toMatchObject({
    challenge: "iris",
    broker: "http://localhost:8420",
  });
});

test("unknown fields of crowdai.json cause a warning", async () => {
  await using here = await world({ challenge_id: "iris", gpu: "a100" });
  const settings = resolveSettings({ env: here.env, cwd: here.cwd });
  expect(settings.project?.config).toMatchObject({ gpu: "a100" });
  expect(settings.warnings).toEqual([expect.stringContaining('unknown field "gpu"')]);
});

test("all errors of a settings file are reported at once, with field and expected value", async () => {
  await using here = await world({ challenge_id: 7, authors: ["Ada", ""], code: { exclude: "*.bin" } });
  const error = caught(() => resolveSettings({ env: here.env, cwd: here.cwd }));
  expect(error.code).toBe("config_invalid");
  expect(error.details?.mistakes).toEqual([
    { field: "challenge_id", expected: "the id of a challenge" },
    { field: "authors[1]", expected: "a name" },
    { field: "code.exclude", expected: "a list of patterns, as in .gitignore" },
  ]);
  expect(error.message).toContain("crowdai.json");
});

test.each([
  ["not JSON", "{ challenge_id: iris"],
  ["an array", "[]"],
  ["a bare null", "null"],
  ["empty", ""],
])("a crowdai.json that is %s is refused", async (_, text) => {
  await using here = await world(text);
  expect(caught(() => resolveSettings({ env: here.env, cwd: here.cwd })).code).toBe("config_invalid");
});

test("a byte-order mark, which some editors write, is accepted", async () => {
  await using here = await world('\uFEFF{"challenge_id":"iris"}');
  expect(resolveSettings({ env: here.env, cwd: here.cwd }).challenge).toBe("iris");
});

test.each([
  ["localhost:8420", "is not an http"],
  ["ftp://host", "is not an http"],
  ["https://ada:secret@host", "user name or password"],
  ["https://host/?key=1", "a ? or #"],
])("the broker's address %s is refused without repeating it", (address, reason) => {
  const error = caught(() => brokerAddress(address, "CROWDAI_BROKER"));
  expect(error.message).toContain(reason);
  expect(error.message).toContain("CROWDAI_BROKER");
  expect(error.message).not.toContain("secret");
});

test("different spellings of a broker's address give one canonical form", () => {
  expect(brokerAddress("HTTP://LocalHost:80/", "--broker")).toBe("http://localhost");
  expect(brokerAddress("https://host:8443/crowdai//", "--broker")).toBe("https://host:8443/crowdai");
});

test("without a challenge, the error says how to choose one", () => {
  expect(caught(() => chosenChallenge({ challenge: null })).code).toBe("challenge_missing");
  expect(chosenChallenge({ challenge: "iris" })).toBe("iris");
  expect(chosenChallenge({ challenge: "iris" }, "digits")).toBe("digits");
});

test("changing one of the user's settings keeps the others, unknown fields included", async () => {
  await using here = await world(undefined, { broker: "http://old", theme: "dark" });
  const folder = here.env.CROWDAI_CONFIG_DIR!;
  await writeUserSetting(folder, "challenge", "iris");
  await writeUserSetting(folder, "broker", null);
  const { challenge, broker, warnings } = resolveSettings({ env: here.env, cwd: here.folder.path });
  expect({ challenge, broker }).toEqual({ challenge: "iris", broker: "http://localhost:8420" });
  expect(warnings).toEqual([expect.stringContaining('"theme"')]);
});

test.each([
  ["linux", { HOME: "/h" }, "/h/.config/crowdai"],
  ["linux", { HOME: "/h", XDG_CONFIG_HOME: "/x" }, "/x/crowdai"],
  ["linux", { HOME: "/h", XDG_CONFIG_HOME: "relative" }, "/h/.config/crowdai"],
  ["darwin", { HOME: "/h" }, "/h/Library/Application Support/crowdai"],
  ["linux", { HOME: "/h", XDG_CONFIG_HOME: "/x", CROWDAI_CONFIG_DIR: "/c" }, "/c"],
] as const)("on %s with %j the user's settings are in %s", (platform, env, path) => {
  expect(configFolder(env, platform).path).toBe(path);
});
