import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../lib/root.ts";
import { helpPages, schemaText } from "./cli.ts";

const dist = join(root, "cli/dist");

test("the shipped schema of crowdai.json is the one that checks it", async () => {
  expect(await readFile(join(root, "cli/crowdai.schema.json"), "utf8")).toBe(schemaText());
  const { properties } = JSON.parse(schemaText());
  expect(Object.keys(properties)).toEqual([
    "$schema",
    "challenge_id",
    "authors",
    "description",
    "broker",
    "code",
  ]);
});

test("there is a ready help page for each command", async () => {
  for (const { name, text } of helpPages())
    expect(await readFile(join(dist, "help", `${name}.txt`), "utf8"), name).toBe(text);
});

test("the notices name each package whose code is in the bundle", async () => {
  const notices = await readFile(join(dist, "THIRD-PARTY-NOTICES.txt"), "utf8");
  for (const name of ["commander", "zod", "socket.io-client", "ora", "@clack/prompts", "string-width"])
    expect(notices).toMatch(new RegExp(`^${name} \\d`, "m"));
});

test("nothing that only a server needs is in the bundle, and no path of the machine that built it", async () => {
  for (const name of await readdir(dist)) {
    if (!name.endsWith(".js")) continue;
    const text = await readFile(join(dist, name), "utf8");
    expect(text).not.toMatch(/from"(sharp|kysely|ioredis|hono|@aws-sdk)/);
    expect(text.includes(root), name).toBe(false);
  }
});
