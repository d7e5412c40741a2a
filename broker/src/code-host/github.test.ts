import { expect } from "vitest";
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
  const host = createGithubHost({ apiUrl, org, token, git });
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
