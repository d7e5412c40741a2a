import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { CodePlace } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import type { CodeHost } from "../../broker/src/background/code-hosts/code-host.ts";
import { createGithubHost } from "../../broker/src/background/code-hosts/github.ts";
import { createGitlabHost } from "../../broker/src/background/code-hosts/gitlab.ts";
import { startFakeGithub } from "../../broker/src/background/code-hosts/testing/fake-github.ts";
import { startFakeGitlab } from "../../broker/src/background/code-hosts/testing/fake-gitlab.ts";
import { createGit } from "../../broker/src/background/git/git.ts";
import { runCli, temporaryFolder } from "../../cli/test/run-cli.ts";

const PUBLIC = { challenge: "iris", participant: "ada", edition: "public" as const };

/** A broker that answers where the code of any submission is, as brokers do. */
async function startBroker(host: CodeHost, kind: CodePlace["host"]) {
  const place: CodePlace = {
    submission: "abcdefgh",
    challenge: "iris",
    participant: "ada",
    own: false,
    published_at: "2026-01-01T00:00:00Z",
    tag: "submission-abcdefgh",
    clone_url: host.cloneUrl(PUBLIC),
    page_url: host.pageUrl(PUBLIC),
    fork_url: host.forkUrl(PUBLIC),
    host: kind,
  };
  const server = http.createServer((_request, response) =>
    response.setHeader("content-type", "application/json").end(JSON.stringify(place)),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe("crowdai fork, of what a broker published", () => {
  it.each([
    ["github", "repos/create-fork"],
    ["gitlab", "postApiV4ProjectsIdFork"],
  ] as const)(
    "asks %s as it describes its API, and names its page to who has no token",
    async (kind, operation) => {
      const git = await createGit({ path: process.env.PATH ?? "", atOnce: 2 });
      const [local, host] =
        kind === "github"
          ? await startFakeGithub().then(
              (each) =>
                [each, createGithubHost({ ...pick(each), apiUrl: each.apiUrl, org: each.org, git })] as const,
            )
          : await startFakeGitlab().then(
              (each) => [each, createGitlabHost({ ...pick(each), group: each.group, git })] as const,
            );
      const broker = await startBroker(host, kind);
      await using folder = await temporaryFolder();
      const fork = (env: Record<string, string>) =>
        runCli(["fork", "abcdefgh"], {
          cwd: folder.path,
          env: { CROWDAI_BROKER: broker.url, PATH: "/nonexistent", ...env },
        });
      try {
        await host.ensure(PUBLIC);
        await host.publish(PUBLIC);
        const own = { GH_TOKEN: local.token, GITLAB_TOKEN: local.token };
        const forked = await fork({ ...own, GITHUB_SERVER_URL: local.url, GITLAB_URL: local.url });
        expect(forked).toMatchObject({ code: 0, stdout: `${local.url}/me/iris.ada\n` });
        expect(local.asked.at(-1)).toBe(operation);
        expect((await fork({})).stdout).toBe(`${host.forkUrl(PUBLIC)}\n`);
      } finally {
        broker.close();
        await Promise.all([local.close(), git.close()]);
      }
      expect(local.wrong).toEqual([]);
    },
  );
});

const pick = ({ url, token }: { url: string; token: string }) => ({ url, token });
