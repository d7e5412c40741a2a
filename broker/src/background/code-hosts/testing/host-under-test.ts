import { expect } from "vitest";
import { createGit, type Git } from "../../git/git.ts";
import type { HostUnderTest } from "../code-host.contract.ts";
import type { CodeHost } from "../code-host.ts";
import { readRefs } from "./git-backend.ts";
import type { LocalHost } from "./serve-host.ts";

/**
 * Opens a code host at a local server, and checks at the end that every request followed the API description.
 */
export async function hostUnderTest(local: LocalHost, open: (git: Git) => CodeHost): Promise<HostUnderTest> {
  const git = await createGit({ path: process.env.PATH ?? "", atOnce: 4 });
  const host = open(git);
  const basic = `Authorization: Basic ${Buffer.from(`someone:${local.token}`).toString("base64")}`;
  return {
    host,
    seenByMember: (repository) => readRefs(host.cloneUrl(repository), basic),
    seenByStranger: (repository) => readRefs(host.cloneUrl(repository), null),
    async close() {
      await Promise.all([local.close(), git.close()]);
      expect(local.wrong).toEqual([]);
    },
  };
}
