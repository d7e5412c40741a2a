import { generateKeyPairSync } from "node:crypto";
import { createApiKey } from "@crowdai/shared";
import { rules } from "@secretlint/secretlint-rule-preset-recommend";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { makeProject, type Project } from "../../test/project.ts";
import { secretsFound } from "./filters/check-content.ts";
import { findSecrets, looksSecret } from "./filters/scan-secrets.ts";
import { secretByName } from "./filters/secret-names.ts";

const letters = (count: number) => "Ab3dEf6hIj9kLm2nOp5q".repeat(10).slice(0, count);
/**
 * One example for each of the scanner's rules, assembled here so that no scanner takes this file for a leak.
 */
const EXAMPLES: Record<string, string> = {
  aws: `AWS_SECRET_ACCESS_KEY = "${letters(40)}"`,
  "aws id": `key = AKIA${"ABCDEFGH23456723"}`,
  "private key": generateKeyPairSync("rsa", { modulusLength: 2048 })
    .privateKey.export({ type: "pkcs1", format: "pem" })
    .toString(),
  npm: `token: npm_${letters(36)}`,
  slack: `xoxb-${"123456789012"}-${"123456789012"}-${letters(24)}`,
  "slack hook": `https://hooks.slack.com/services/T${letters(8)}/B${letters(8)}/${letters(24)}`,
  "basic auth": "https://someone:pa55w0rdlong@internal.company.io/repo.git",
  openai: `sk-${letters(20)}T3BlbkFJ${letters(20)}`,
  anthropic: `sk-ant-api03-${letters(93)}AA`,
  linear: `lin_api_${letters(40)}`,
  sendgrid: `SG.${letters(22)}.${letters(43)}`,
  shopify: `shpat_${"0123456789abcdef".repeat(2)}`,
  github: `ghp_${letters(36)}`,
  "github pat": `github_pat_${letters(82)}`,
  database: "postgres://admin:pa55w0rdlong@db.company.io:5432/prod",
  mongodb: "MONGODB+SRV://admin:pa55w0rdlong@db.company.io/prod",
  crowdai: createApiKey(),
  "hugging face": `hf_${letters(34)}`,
};

describe("the scan for secrets", () => {
  it.each(Object.entries(EXAMPLES))("finds a secret of kind %s, with its line", async (_, secret) => {
    const text = `import os\n\n${secret}\n`;
    expect(looksSecret(text)).toBe(true);
    const found = await findSecrets("a/config.py", text);
    expect(found.map(({ path, line }) => `${path}:${line}`)).toContain("a/config.py:3");
    expect(JSON.stringify(found)).not.toContain(secret.slice(-20));
  });

  it("has an example for each rule of the scanner", () => {
    expect(rules.map(({ meta }) => meta.id.replace("@secretlint/secretlint-rule-", "")).sort()).toEqual([
      "1password",
      "anthropic",
      "aws",
      "basicauth",
      "database-connection-string",
      "filter-comments",
      "gcp",
      "github",
      "linear",
      "npm",
      "openai",
      "privatekey",
      "sendgrid",
      "shopify",
      "slack",
    ]);
  });

  it("names the cell of a notebook, also if escapes or separate lines hide the secret", async () => {
    const cell = (...source: string[]) => ({
      cell_type: "code",
      metadata: { cells: [{}] },
      outputs: [],
      source,
    });
    const key = EXAMPLES["private key"]!.split(/(?<=\n)/);
    const notebook = {
      metadata: { token: EXAMPLES.github },
      cells: [
        cell("import os\n"),
        cell("x = 1\n", `${EXAMPLES.aws}\n`),
        cell("y = [1]\n"),
        { ...cell(), outputs: [{ text: key }] },
      ],
    };
    for (const text of [JSON.stringify(notebook), JSON.stringify(notebook, null, 1)]) {
      const found = await findSecrets("a.ipynb", text);
      expect(found.map(({ cell: number, what }) => [number, what.split(":")[0]])).toEqual(
        expect.arrayContaining([
          [undefined, "github"],
          [2, "aws"],
          [4, "privatekey"],
        ]),
      );
      expect(found.map(({ cell: number }) => number)).not.toContain(1);
    }
    expect(await findSecrets("a.ipynb", `{ "cells": [ ${EXAMPLES.github}`)).toMatchObject([{ line: 1 }]);
    expect(secretsFound([{ path: "a.ipynb", line: 7, cell: 2, what: "aws" }]).message).toContain(
      "a.ipynb:7 (cell 2): aws",
    );
  });

  it("accepts a comment that disables a line", async () => {
    expect(await findSecrets("a.py", `x = "${EXAMPLES.github}" # secretlint-disable-line\n`)).toEqual([]);
  });

  it("accepts plain code, keys with a wrong checksum and examples", async () => {
    for (const text of [
      "db = 'postgres://localhost/test'",
      `crowdai_${letters(49)}`,
      "https://example.org/a:b@c",
    ])
      expect(looksSecret(text) ? await findSecrets("a.py", text) : []).toEqual([]);
  });

  it.each([
    ".env",
    "app/.env.production",
    "prod.env",
    "id_rsa",
    ".ssh/id_ed25519",
    "server.pem",
    "Store.P12",
    ".netrc",
    "_netrc",
    ".aws/credentials",
    "credentials",
    "config/credentials.json",
    "kaggle.json",
    "my-service-account.json",
    "service_account_key.json",
    ".git-credentials",
    ".pypirc",
    "client_secret_12.json",
    ".config/crowdai/keys/http%3A.json",
    "secrets.yaml",
    ".docker/config.json",
  ])("recognizes %s by its name", (name) => expect(secretByName(name)).not.toBeNull());

  it.each([
    ".env.example",
    "environment.py",
    "id_rsa.pub",
    "credentials.py",
    "identity.py",
    "pem.py",
    "src/secrets.py",
    "keys/readme.md",
    "kaggle.py",
  ])("accepts %s", (name) => expect(secretByName(name)).toBeNull());
});

describe.skipIf(missing("git"))("secrets in a project", () => {
  let project: Project;
  beforeEach(() => {
    project = makeProject();
  });
  afterEach(() => project[Symbol.asyncDispose]());

  it("are left out by name, tracked or not, whatever is allowed, and are listed", async () => {
    for (const name of [".env", "sub/id_rsa", "key.pem", "ok.py"]) project.write(name);
    project.write(".npmrc", "//registry.example.org/:_authToken=abc\n");
    project.git("add", "-f", ".");
    const snapshot = await project.take({ allowSecrets: true, include: [".env"] });
    expect([...project.files(snapshot).keys()]).toEqual(["ok.py"]);
    expect(snapshot.leftOut.map(({ path }) => path)).toEqual([".env", ".npmrc", "key.pem", "sub/id_rsa"]);
  });

  it("in the content of a file stop every snapshot, with file and line, until they are allowed", async () => {
    project.write("a.py", `\n\nkey = "${EXAMPLES.crowdai}"\n`);
    project.write("b.py");
    const failure = { code: "code_secrets", message: expect.stringMatching(/a\.py:3: .*api key/) };
    await expect(project.take()).rejects.toMatchObject(failure);
    await expect(project.take()).rejects.not.toMatchObject({
      message: expect.stringContaining(EXAMPLES.crowdai!),
    });
    const allowed = await project.take({ allowSecrets: true });
    expect(allowed.findings).toMatchObject([{ path: "a.py", line: 3 }]);
    expect([...project.files(allowed).keys()]).toEqual(["a.py", "b.py"]);
    await expect(project.take()).rejects.toMatchObject(failure);
    project.write("a.py", "clean\n");
    expect((await project.take()).findings).toEqual([]);
  });

  it("are not searched for in images and other binary files", async () => {
    project.write("model.bin", Buffer.from(`\0\0${EXAMPLES.github}`));
    expect((await project.take()).files).toHaveLength(1);
  });
});

describe.skipIf(missing("git"))("a project that is too large", () => {
  it("is refused before its files are read, with the largest files and folders", async () => {
    await using project = makeProject({ git: false });
    project.write("data/big.bin", Buffer.alloc(5000));
    project.write("data/small.bin", Buffer.alloc(10));
    project.write("a.py");
    await expect(project.take({ caps: { maxBytes: 3000 } })).rejects.toMatchObject({
      code: "code_too_large",
      message: expect.stringMatching(/5 kB .*at most 3000[\s\S]*data\/big\.bin: 5 kB[\s\S]*data\/: 5 kB/),
      details: { bytes: 5014, max_bytes: 3000 },
    });
    await expect(project.take({ caps: { maxFiles: 2 } })).rejects.toMatchObject({
      code: "code_too_large",
      message: expect.stringMatching(/3 files; at most 2[\s\S]*data\/: 2 files/),
    });
  });
});
