import { CrowdaiError } from "@crowdai/shared";

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether this CI job may have an ID token. */
export const mayHaveIdToken = (env: Environment): boolean =>
  Boolean(env.ACTIONS_ID_TOKEN_REQUEST_URL?.trim() || env.CROWDAI_ID_TOKEN?.trim());

/** Returns no_key, with what a CI job can do about it. */
export function noKey(broker: string, env: Environment): CrowdaiError {
  return new CrowdaiError("no_key", `No API key for ${broker}.`, {
    details: { broker },
    next: nextInCi(env),
  });
}

function nextInCi(env: Environment): string | undefined {
  if (env.GITHUB_ACTIONS === "true")
    return `Give this job \`permissions: id-token: write\`, and run \`crowdai ci trust github:${env.GITHUB_REPOSITORY ?? "owner/repo"}\` once with your key; or set CROWDAI_API_KEY.`;
  if (env.GITLAB_CI === "true")
    return `Give this job an ID token named CROWDAI_ID_TOKEN (\`id_tokens:\`), and run \`crowdai ci trust gitlab:${env.CI_PROJECT_PATH ?? "group/project"}\` once with your key; or set CROWDAI_API_KEY.`;
  return undefined;
}
