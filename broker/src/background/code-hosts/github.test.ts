import { expect, it } from "vitest";
import { codeHostContract } from "./code-host.contract.ts";
import { createGithubHost } from "./github.ts";
import { startFakeGithub } from "./testing/fake-github.ts";
import { hostUnderTest } from "./testing/host-under-test.ts";

async function open(options: { paced?: boolean } = {}) {
  const github = await startFakeGithub();
  const { apiUrl, org, token } = github;
  return hostUnderTest(github, (git) => createGithubHost({ apiUrl, org, token, git, ...options }));
}

codeHostContract("GitHub", () => open({ paced: false }));

it("receives one write a second, as GitHub asks", async () => {
  const { host, close } = await open();
  const start = performance.now();
  await host.ensure({ challenge: "iris", participant: "ada", edition: "private" });
  // The repository is created, then Actions are turned off.
  expect(performance.now() - start).toBeGreaterThan(990);
  await close();
});
