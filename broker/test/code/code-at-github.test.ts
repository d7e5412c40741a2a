import { startFakeGithub } from "../../src/background/code-hosts/testing/fake-github.ts";
import { brokerWithCodeHost, type TestCodeHost } from "./broker-with-code-host.ts";

brokerWithCodeHost("GitHub", github);

async function github(): Promise<TestCodeHost> {
  const local = await startFakeGithub();
  const page = (name: string) => `${local.url}/${local.org}/${name}`;
  return {
    local,
    env: {
      CODE_HOST: "github",
      GITHUB_API_URL: local.apiUrl,
      GITHUB_ORG: local.org,
      GITHUB_TOKEN: local.token,
    },
    page,
    fork: (name) => `${page(name)}/fork`,
    seen: () =>
      Object.fromEntries([...local.repositories.values()].map((each) => [each.name, !each.private])),
  };
}
