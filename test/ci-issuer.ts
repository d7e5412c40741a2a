import http from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";

/** A CI system on this machine that signs its jobs' tokens with real keys. */
export interface CiIssuer extends AsyncDisposable {
  readonly url: string;
  /** Variables of a GitHub job that may request tokens. */
  readonly githubJob: Record<string, string>;
  /** The claims of tokens that a job requests, besides those that every token has. */
  claims: JWTPayload;
  /** Signs a token; `claims` replace the usual ones, and undefined removes one. */
  sign(audience: string, claims?: JWTPayload, header?: { kid?: string }): Promise<string>;
  /** Signs with a new key from now on, which discovery shows beside the earlier ones. */
  rotate(algorithm?: string): Promise<void>;
  /** Answers requests in place of the issuer; returns false for those that the issuer shall answer. */
  instead: ((request: http.IncomingMessage, response: http.ServerResponse) => boolean) | null;
  /** Paths of the requests so far. */
  readonly requests: string[];
  /** The public keys, as discovery shows them. */
  readonly keys: JWK[];
}

const REQUEST_TOKEN = "a secret of the job";

/** The claims of a push to the main branch of a repository. */
export const githubClaims = (repository = "octo/iris", ref = "refs/heads/main"): JWTPayload => ({
  sub: `repo:${repository}:ref:${ref}`,
  repository,
  repository_id: "101",
  repository_owner: repository.split("/")[0],
  repository_owner_id: "7",
  ref,
  ref_type: ref.startsWith("refs/tags/") ? "tag" : "branch",
  event_name: "push",
  run_id: "9000",
  run_attempt: "1",
});

/** The claims of a branch pipeline of a GitLab project. */
export const gitlabClaims = (project = "group/iris", branch = "main"): JWTPayload => ({
  sub: `project_path:${project}:ref_type:branch:ref:${branch}`,
  project_path: project,
  project_id: "301",
  namespace_path: project.split("/")[0],
  namespace_id: "17",
  ref: branch,
  ref_type: "branch",
  ref_path: `refs/heads/${branch}`,
  pipeline_source: "push",
  job_id: "8000",
});

export async function startCiIssuer(): Promise<CiIssuer> {
  const requests: string[] = [];
  const keys: JWK[] = [];
  let signing: { key: CryptoKey; kid: string; alg: string };
  let tokens = 0;

  async function rotate(alg = "RS256"): Promise<void> {
    const pair = await generateKeyPair(alg, { extractable: true });
    const kid = `key-${keys.length + 1}`;
    keys.push({ ...(await exportJWK(pair.publicKey)), kid, use: "sig", alg });
    signing = { key: pair.privateKey, kid, alg };
  }
  await rotate();

  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url ?? "", issuer.url);
    requests.push(url.pathname);
    const answer = (status: number, value: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (issuer.instead?.(request, response)) return;
    if (url.pathname === "/.well-known/openid-configuration")
      return answer(200, { issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` });
    if (url.pathname === "/jwks") return answer(200, { keys });
    if (url.pathname !== "/request") return answer(404, {});
    if (request.headers.authorization !== `Bearer ${REQUEST_TOKEN}`) return answer(401, {});
    return answer(200, { count: 1, value: await issuer.sign(url.searchParams.get("audience") ?? "none") });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const issuer: CiIssuer = {
    url,
    githubJob: {
      CI: "true",
      GITHUB_ACTIONS: "true",
      ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/request?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN,
    },
    claims: githubClaims(),
    sign(audience, claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000);
      const all = {
        iss: url,
        aud: audience,
        iat: now,
        nbf: now,
        exp: now + 300,
        jti: `token-${++tokens}`,
        ...issuer.claims,
        ...claims,
      };
      return new SignJWT(all)
        .setProtectedHeader({ alg: signing.alg, kid: signing.kid, typ: "JWT", ...header })
        .sign(signing.key);
    },
    rotate,
    instead: null,
    requests,
    keys,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return issuer;
}
