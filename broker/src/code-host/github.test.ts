import { expect, it } from "vitest";
import { createGit } from "../code/git.ts";
import { codeHostContract } from "./code-host.contract.ts";
import { createGithubHost } from "./github.ts";
import { startFakeGithub } from "./testing/fake-github.ts";
import { readRefs } from "./testing/git-backend.ts";

codeHostContract("GitHub", async () => {
  const [github, git] = await Promise.all([
    startFakeGithub(),
    createGit({ path: process.env.PATH ?? "", atOnce: 4 }),
  ]);
  const { apiUrl, org, token } = github;
  const host = createGithubHost({ apiUrl, org, token, git, paced: false });
  const basic = `Authorization: Basic ${Buffer.from(`someone:${token}`).toString("base64")}`;
  return {
    host,
    seenByMember: (repository) => readRefs(host.cloneUrl(repository), basic),
    seenByStranger: (repository) => readRefs(host.cloneUrl(repository), null),
    async close() {
      await Promise.all([github.close(), git.close()]);
      expect(github.wrong).toEqual([]);
    },
  };
});

it("is written to once a second, as GitHub asks for", async () => {
  const [github, git] = await Promise.all([
    startFakeGithub(),
    createGit({ path: process.env.PATH ?? "", atOnce: 4 }),
  ]);
  const { apiUrl, org, token } = github;
  const host = createGithubHost({ apiUrl, org, token, git });
  const start = performance.now();
  await host.ensure({ challenge: "iris", participant: "ada", edition: "private" });
  // Made, and Actions switched off.
  expect(performance.now() - start).toBeGreaterThan(990);
  await Promise.all([github.close(), git.close()]);
});
