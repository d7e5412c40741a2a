import { codeHostContract } from "./code-host.contract.ts";
import { createGitlabHost } from "./gitlab.ts";
import { startFakeGitlab } from "./testing/fake-gitlab.ts";
import { hostUnderTest } from "./testing/host-under-test.ts";

codeHostContract("GitLab", async () => {
  const gitlab = await startFakeGitlab();
  const { url, group, token } = gitlab;
  return hostUnderTest(gitlab, (git) => createGitlabHost({ url, group, token, git }));
});
