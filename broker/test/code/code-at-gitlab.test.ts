import { startFakeGitlab } from "../../src/background/code-hosts/testing/fake-gitlab.ts";
import { brokerWithCodeHost, type TestCodeHost } from "./broker-with-code-host.ts";

brokerWithCodeHost("GitLab", gitlab);

async function gitlab(): Promise<TestCodeHost> {
  const local = await startFakeGitlab();
  const page = (name: string) => `${local.url}/${local.group}/${name}`;
  return {
    local,
    env: {
      CODE_HOST: "gitlab",
      GITLAB_URL: local.url,
      GITLAB_GROUP: local.group,
      GITLAB_TOKEN: local.token,
    },
    page,
    fork: (name) => `${page(name)}/-/forks/new`,
    seen: () =>
      Object.fromEntries(
        [...local.projects.values()].map((each) => [each.path, each.visibility === "public"]),
      ),
  };
}
