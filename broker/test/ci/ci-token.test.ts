import { generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type CiIssuer, githubClaims, gitlabClaims, startCiIssuer } from "../../../test/ci-issuer.ts";
import { replaceKeys } from "../../src/domain/participants/api-keys.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";

let issuer: CiIssuer;
let gitlab: CiIssuer;
let test: TestBroker;
/** Moves the broker's clock. */
let ahead = 0;

beforeAll(async () => {
  issuer = await startCiIssuer();
  gitlab = await startCiIssuer();
  test = await startBroker({
    withGrader: false,
    clock: () => new Date(Date.now() + ahead),
    env: { CI_ISSUERS: `github=${issuer.url} gitlab=${gitlab.url}`, CI_LOOPBACK_ISSUERS: "on" },
  });
});
afterAll(async () => {
  await test?.close();
  await issuer?.[Symbol.asyncDispose]();
  await gitlab?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  ahead = 0;
  issuer.claims = githubClaims();
  gitlab.claims = gitlabClaims();
});

interface Answer {
  status: number;
  key: string;
  expires_at: string;
  participant: { name: string };
}
const post = async (path: string, body: unknown, key: string | null = test.key): Promise<Answer> => {
  const response = await test.fetch(`/api/v1${path}`, { method: "POST", body, key });
  return { status: response.status, ...((await response.json()) as Omit<Answer, "status">) };
};
const trust = (subject: string, key?: string) => post("/ci/trusts", { subject }, key);
const withdraw = (subject: string) => post("/ci/trusts/withdraw", { subject });
const exchange = (token: string, participant?: string) => post("/ci/token", { token, participant }, null);
const sign = (claims?: JWTPayload, header?: { kid?: string }) => issuer.sign(test.broker.url, claims, header);
const me = async (key: string) =>
  (await (await test.fetch("/api/v1/me", { key })).json()) as { participant: { name: string } };
const refused = (code: string, message?: string) => ({
  error: expect.objectContaining({ code, ...(message ? { message: expect.stringContaining(message) } : {}) }),
});

describe("a token of a job that a participant trusts", () => {
  it("is exchanged for a session of 15 minutes as that participant", async () => {
    expect(await trust("github:Octo/Iris@main")).toMatchObject({
      subject: "github:Octo/Iris@refs/heads/main",
      issuer: issuer.url,
    });
    const session = await exchange(await sign());
    expect(session).toMatchObject({
      status: 200,
      key: expect.stringMatching(/^crowdai_/),
      participant: { name: "ada" },
      repository: "octo/iris",
      ref: "refs/heads/main",
    });
    const minutes = (Date.parse(session.expires_at) - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(14.8);
    expect(minutes).toBeLessThanOrEqual(15);
    expect(await me(session.key)).toMatchObject({
      participant: { name: "ada" },
      session: { ref: "refs/heads/main" },
    });
  });

  it("may name the broker by another name of this machine, with a slash or without", async () => {
    const { port } = new URL(test.broker.url);
    expect((await exchange(await issuer.sign(`http://localhost:${port}/`))).status).toBe(200);
  });

  it("is exchanged once, and later only together with its session's key", async () => {
    const token = await sign();
    const first = await exchange(token);
    expect(await exchange(token)).toMatchObject(refused("ci_token_used"));
    const renewed = await post("/ci/token", { token }, first.key);
    expect(renewed.status).toBe(200);
    expect(renewed.key).not.toBe(first.key);
    const other = await exchange(await sign());
    expect(await post("/ci/token", { token }, other.key)).toMatchObject(refused("ci_token_used"));
    const twice = await sign();
    const both = await Promise.all([exchange(twice), exchange(twice)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 401]);
  });

  it("of a GitLab project works too, also of a group in a group", async () => {
    await trust("gitlab:group/sub/iris:environment:production");
    gitlab.claims = gitlabClaims("group/sub/iris");
    expect(await exchange(await gitlab.sign(test.broker.url))).toMatchObject(
      refused("ci_not_trusted", "runs in none"),
    );
    gitlab.claims = { ...gitlab.claims, environment: "production" };
    expect((await exchange(await gitlab.sign(test.broker.url))).status).toBe(200);
  });
});

describe("a token is refused", () => {
  const forge = async (claims: JWTPayload = {}) => {
    const { privateKey } = await generateKeyPair("RS256");
    return new SignJWT(payloadOf(await sign(claims)))
      .setProtectedHeader({ alg: "RS256", kid: "key-1" })
      .sign(privateKey);
  };
  const payloadOf = (token: string): JWTPayload =>
    JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  const now = () => Math.floor(Date.now() / 1000);
  const at = (ref: string) => ({ sub: `repo:octo/iris:ref:${ref}`, ref });

  it.each<[string, () => Promise<string> | string, string, string]>([
    ["with a forged signature", () => forge(), "ci_token_invalid", "signature is wrong"],
    [
      "without a signature",
      async () => new UnsecuredJWT(payloadOf(await sign())).encode(),
      "ci_token_invalid",
      "algorithm",
    ],
    [
      "with the algorithm none",
      async () => `${Buffer.from('{"alg":"none"}').toString("base64url")}.${(await sign()).split(".")[1]}.`,
      "ci_token_invalid",
      "algorithm",
    ],
    [
      "signed by HS256 with the public key",
      async () =>
        new SignJWT(payloadOf(await sign()))
          .setProtectedHeader({ alg: "HS256", kid: "key-1" })
          .sign(new TextEncoder().encode(JSON.stringify(issuer.keys[0]))),
      "ci_token_invalid",
      "algorithm",
    ],
    [
      "for another audience",
      () => issuer.sign("https://elsewhere.example"),
      "ci_token_invalid",
      "elsewhere.example",
    ],
    ["of an unknown issuer", () => sign({ iss: "https://evil.example" }), "ci_not_trusted", "evil.example"],
    [
      "of one issuer, signed by another",
      async () => gitlab.sign(test.broker.url, { ...githubClaims(), iss: issuer.url }),
      "ci_token_invalid",
      "signature is wrong",
    ],
    ["that has expired", () => sign({ iat: now() - 600, exp: now() - 60 }), "ci_token_invalid", "expired"],
    ["that is not valid yet", () => sign({ nbf: now() + 120 }), "ci_token_invalid", "not valid yet"],
    ["without an id", () => sign({ jti: undefined }), "ci_token_invalid", "no jti"],
    [
      "without a repository id",
      () => sign({ repository_id: undefined }),
      "ci_token_invalid",
      "repository_id",
    ],
    ["that never expires", () => sign({ exp: undefined }), "ci_token_invalid", "no exp"],
    ["that is not a token", () => "not a token", "ci_token_invalid", "not a JSON Web Token"],
    ["of a fork", () => sign(githubClaims("mallory/iris")), "ci_not_trusted", "github:mallory/iris"],
    ["of another branch", () => sign(at("refs/heads/dev")), "ci_not_trusted", "runs for refs/heads/dev"],
    ["of a tag with the branch's name", () => sign(at("refs/tags/main")), "ci_not_trusted", "refs/tags/main"],
    [
      "of a pull request",
      () =>
        sign({ event_name: "pull_request", sub: "repo:octo/iris:pull_request", ref: "refs/pull/1/merge" }),
      "ci_not_trusted",
      "pull_request",
    ],
    [
      "of a pull request, whatever ref it claims",
      () => sign({ event_name: "pull_request", sub: "repo:octo/iris:pull_request" }),
      "ci_not_trusted",
      "pull_request",
    ],
    [
      "of pull_request_target",
      () => sign({ event_name: "pull_request_target" }),
      "ci_not_trusted",
      "never trusted",
    ],
  ])("%s", async (_, token, code, message) => {
    const answer = await exchange(await token());
    expect(answer).toMatchObject(refused(code, message));
    expect(answer.status).toBe(code === "ci_token_invalid" ? 401 : 403);
  });

  it("of a merge request of GitLab, whose ref is a branch of any fork", async () => {
    await trust("gitlab:group/iris");
    const token = (source: string) => gitlab.sign(test.broker.url, { pipeline_source: source });
    expect(await exchange(await token("merge_request_event"))).toMatchObject(
      refused("ci_not_trusted", "need @merge_request"),
    );
    expect(await exchange(await token("parent_pipeline"))).toMatchObject(refused("ci_not_trusted"));
    expect((await exchange(await token("push"))).status).toBe(200);
  });
});

it("trusts pull requests only where the subject says so, and tags by a pattern", async () => {
  const claims = { ...githubClaims("octo/wine"), event_name: "pull_request", ref: "refs/pull/1/merge" };
  await trust("github:octo/wine");
  expect(await exchange(await sign(claims))).toMatchObject(refused("ci_not_trusted", "need @pull_request"));
  await trust("github:octo/wine@pull_request");
  expect((await exchange(await sign(claims))).status).toBe(200);

  await trust("github:octo/tags@refs/tags/v*");
  expect((await exchange(await sign(githubClaims("octo/tags", "refs/tags/v1")))).status).toBe(200);
  expect((await exchange(await sign(githubClaims("octo/tags", "refs/tags/w1")))).status).toBe(403);
  expect((await exchange(await sign(githubClaims("octo/tags", "refs/heads/v1")))).status).toBe(403);
});

it("does not trust another repository that takes the name of a trusted one", async () => {
  await trust("github:octo/renamed");
  const claims = githubClaims("octo/renamed");
  expect((await exchange(await sign(claims))).status).toBe(200);
  const retaken = { ...claims, repository_id: "999" };
  expect(await exchange(await sign(retaken))).toMatchObject(
    refused("ci_not_trusted", "no longer the repository"),
  );
  expect(await exchange(await sign({ ...claims, repository_owner_id: "8" }))).toMatchObject(
    refused("ci_not_trusted", "owner"),
  );
  await withdraw("github:octo/renamed");
  await trust("github:octo/renamed");
  expect((await exchange(await sign(retaken))).status).toBe(200);
});

it("binds all of a participant's trusts of a repository to its ids when one of them is used", async () => {
  await trust("github:octo/twice@main");
  await trust("github:octo/twice@pull_request");
  const claims = githubClaims("octo/twice");
  expect((await exchange(await sign(claims))).status).toBe(200);
  const change = { ...claims, event_name: "pull_request", ref: "refs/pull/1/merge" };
  expect(
    await exchange(await sign({ ...change, repository_id: "999", repository_owner_id: "9" })),
  ).toMatchObject(refused("ci_not_trusted", "no longer the repository"));
  expect((await exchange(await sign(change))).status).toBe(200);
});

it("asks for a name where several participants trust a job", async () => {
  await trust("github:octo/shared");
  await trust("github:octo/shared", await test.addParticipant("mallory"));
  const claims = githubClaims("octo/shared");
  expect(await exchange(await sign(claims))).toMatchObject(refused("ci_ambiguous"));
  expect((await exchange(await sign(claims), "Ada")).participant).toMatchObject({ name: "ada" });
  expect(await exchange(await sign(claims), "grace")).toMatchObject(refused("ci_not_trusted", '"grace"'));
});

describe("a session", () => {
  const open = async () => (await exchange(await sign())).key as string;

  it("ends after 15 minutes", async () => {
    const key = await open();
    ahead = 14 * 60_000;
    expect((await me(key)).participant.name).toBe("ada");
    ahead = 15 * 60_000 + 1000;
    expect(await me(key)).toMatchObject(refused("session_expired"));
  });

  it("survives a restart of the broker", async () => {
    const key = await open();
    await test.restart();
    expect((await me(key)).participant.name).toBe("ada");
    await exchange(await sign({ jti: "once" }));
    await test.restart();
    expect(await exchange(await sign({ jti: "once" }))).toMatchObject(refused("ci_token_used"));
  });

  it("changes no trust and no agreement, and signs no one in to the pages", async () => {
    const key = await open();
    const changes = [
      ["/ci/trusts", { subject: "github:mallory/iris" }],
      ["/ci/trusts/withdraw", { subject: "github:octo/iris@main" }],
      ["/agreements/mit", { digest: "0", where: "terminal" }],
    ] as const;
    for (const [path, body] of changes)
      expect(await post(path, body, key)).toMatchObject(refused("not_allowed"));
    const signIn = await fetch(`${test.broker.url}/sign-in`, {
      method: "POST",
      headers: { origin: test.broker.url },
      body: new URLSearchParams({ key, next: "/" }),
      redirect: "manual",
    });
    expect(signIn.status).toBe(403);
    expect(signIn.headers.get("set-cookie")).toBeNull();
    expect((await test.fetch("/api/participants", { key })).status).not.toBe(200);
  });

  it("ends with the trust, also where it is connected", async () => {
    const key = await open();
    const { socket } = await test.connect({ key });
    const cut = new Promise((resolve) => socket.once("disconnect", resolve));
    expect(await withdraw("github:octo/iris@main")).toMatchObject({ status: 200 });
    expect(await me(key)).toMatchObject(refused("session_ended"));
    await cut;
    expect(await exchange(await sign())).toMatchObject(refused("ci_not_trusted"));
    await trust("github:octo/iris@main");
    expect(await me(key)).toMatchObject(refused("session_ended"));
  });

  it("ends with the key that the trust was made with, and so does the trust", async () => {
    const own = await test.addParticipant("lovelace");
    await trust("github:octo/lovelace", own);
    const claims = githubClaims("octo/lovelace");
    const { key } = await exchange(await sign(claims));
    const { key: renewed } = await replaceKeys(
      test.records,
      "participant",
      "lovelace",
      new Date().toISOString(),
    );
    expect(await me(key)).toMatchObject(refused("session_ended"));
    expect(await exchange(await sign(claims))).toMatchObject(refused("ci_not_trusted"));
    const listed = await (await test.fetch("/api/v1/ci/trusts", { key: renewed })).json();
    expect(listed).toMatchObject({ trusts: [{ subject: "github:octo/lovelace", active: false }] });
    await trust("github:octo/lovelace", renewed);
    expect((await exchange(await sign(claims))).status).toBe(200);
  });

  it("leaves who trusted what, and which run used it, in the records", async () => {
    const rows = await test.records.db
      .selectFrom("ci_trusts")
      .selectAll()
      .where("repository_key", "=", "octo/iris")
      .execute();
    expect(rows.map(({ ip, revoked_at }) => [ip, revoked_at !== null])).toEqual([
      ["127.0.0.1", true],
      ["127.0.0.1", false],
    ]);
    const runs = await test.records.db.selectFrom("ci_sessions").select(["run", "ref"]).execute();
    expect(runs).toContainEqual({ run: "9000", ref: "refs/heads/main" });
  });
});

it("lists a trust once, however often it is given", async () => {
  const own = await test.addParticipant("noether");
  const first = await trust("github:octo/once", own);
  expect(await trust("github:OCTO/once", own)).toEqual(first);
  const { trusts } = (await (await test.fetch("/api/v1/ci/trusts", { key: own })).json()) as {
    trusts: object[];
  };
  expect(trusts).toHaveLength(1);
});

it("withdraws a trust although the broker does not accept its issuer any more", async () => {
  await trust("gitlab:group/left@main");
  const accepting = { CI_ISSUERS: `github=${issuer.url} gitlab=${gitlab.url}`, CI_LOOPBACK_ISSUERS: "on" };
  await test.restart({ CI_ISSUERS: "none" });
  const list = async () => {
    const { trusts } = (await (await test.fetch("/api/v1/ci/trusts", { key: test.key })).json()) as {
      trusts: { subject: string; repository: string; active: boolean }[];
    };
    return trusts.filter(({ repository }) => repository === "group/left");
  };
  const [left] = await list();
  expect(left).toMatchObject({
    subject: `${new URL(gitlab.url).host}:group/left@refs/heads/main`,
    active: false,
  });
  expect(await withdraw(left?.subject ?? "")).toMatchObject({ status: 200, subject: left?.subject });
  await test.restart(accepting);
  expect(await list()).toEqual([]);
});
