import { expect } from "vitest";
import { createGit } from "../code/git.ts";
import { codeHostContract } from "./code-host.contract.ts";
import { createGitlabHost } from "./gitlab.ts";
import { startFakeGitlab } from "./testing/fake-gitlab.ts";
import { readRefs } from "./testing/git-backend.ts";

codeHostContract("GitLab", async () => {
  const [gitlab, git] = await Promise.all([
    startFakeGitlab(),
    createGit({ path: process.env.PATH ?? "", atOnce: 4 }),
  ]);
  const { url, group, token } = gitlab;
  const host = createGitlabHost({ url, group, token, git });
  const basic = `Authorization: Basic ${Buffer.from(`someone:${token}`).toString("base64")}`;
  return {
    host,
    seenByMember: (repository) => readRefs(host.cloneUrl(repository), basic),
    seenByStranger: (repository) => readRefs(host.cloneUrl(repository), null),
    async close() {
      await Promise.all([gitlab.close(), git.close()]);
      expect(gitlab.wrong).toEqual([]);
    },
  };
});
