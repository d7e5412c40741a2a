import http from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CiIssuer, startCiIssuer } from "../../../../test/ci-issuer.ts";
import { ciTokens } from "./ci-tokens.ts";
import { ISSUER_KEY_TIMES } from "./issuer-keys.ts";

const BROKER = "https://broker.example/crowdai";
let issuer: CiIssuer;
let ahead = 0;
beforeEach(async () => {
  issuer = await startCiIssuer();
  ahead = 0;
});
afterEach(() => issuer[Symbol.asyncDispose]());

const verifier = (times: Partial<typeof ISSUER_KEY_TIMES> = {}) =>
  ciTokens({
    issuers: [{ kind: "github", url: issuer.url, name: "github" }],
    baseUrl: () => BROKER,
    clock: () => new Date(Date.now() + ahead),
    times: { ...ISSUER_KEY_TIMES, ...times },
  });
const sign = () => issuer.sign(BROKER);
const unreachable = (message: string) => ({
  code: "ci_issuer_unreachable",
  fault: "platform",
  message: expect.stringContaining(message),
});
const reads = () => issuer.requests.filter((path) => path === "/jwks").length;

describe("the keys of an issuer", () => {
  it("are read once, whatever number of tokens arrives", async () => {
    const { verify } = verifier();
    const jobs = await Promise.all([1, 2, 3].map(async () => verify(await sign())));
    expect(jobs.map(({ repository }) => repository)).toEqual(["octo/iris", "octo/iris", "octo/iris"]);
    expect(issuer.requests).toEqual(["/.well-known/openid-configuration", "/jwks"]);
  });

  it("are read again for an unknown one, at most once in the cooldown", async () => {
    const { verify } = verifier();
    const before = await sign();
    await verify(before);
    await issuer.rotate();
    await expect(verify(await sign())).rejects.toMatchObject({
      code: "ci_token_invalid",
      message: expect.stringContaining("no such key"),
    });
    expect(reads()).toBe(1);
    ahead = 31_000;
    expect((await verify(await sign())).repository).toBe("octo/iris");
    expect((await verify(before)).repository).toBe("octo/iris");
    await expect(verify(await issuer.sign(BROKER, {}, { kid: "made up" }))).rejects.toMatchObject({
      code: "ci_token_invalid",
    });
    expect(reads()).toBe(2);
  });

  it("keep working while the issuer is down, but not for days", async () => {
    const { verify } = verifier();
    await verify(await sign());
    issuer.instead = (_, response) => Boolean(response.writeHead(503).end());
    ahead = 11 * 60_000;
    const later = () => issuer.sign(BROKER, { exp: Math.floor((Date.now() + ahead) / 1000) + 60 });
    expect((await verify(await later())).repository).toBe("octo/iris");
    ahead = 25 * 3_600_000;
    await expect(
      verify(await issuer.sign(BROKER, { exp: 9_999_999_999, iat: 9_999_999_998 })),
    ).rejects.toMatchObject(unreachable("with status 503"));
  });

  it("are accepted as RSA, elliptic and Edwards keys", async () => {
    for (const algorithm of ["PS256", "ES256", "EdDSA"]) {
      await issuer.rotate(algorithm);
      expect((await verifier().verify(await sign())).repository).toBe("octo/iris");
    }
  });
});

describe("a token is not checked, and its sender hears why, where the issuer", () => {
  const answer = (path: string, status: number, body: string, headers = {}) => {
    issuer.instead = (request, response) => {
      if (request.url !== path) return false;
      response.writeHead(status, headers).end(body);
      return true;
    };
  };
  const discovery = "/.well-known/openid-configuration";
  const verify = async (times?: Partial<typeof ISSUER_KEY_TIMES>) => verifier(times).verify(await sign());

  it("is down", async () => {
    const token = await sign();
    const { verify } = verifier();
    await issuer[Symbol.asyncDispose]();
    await expect(verify(token)).rejects.toMatchObject(unreachable("cannot be reached"));
    issuer = await startCiIssuer();
  });

  it("does not answer in time", async () => {
    issuer.instead = () => true;
    await expect(verify({ timeoutMs: 200 })).rejects.toMatchObject(unreachable("within 0.2 s"));
  });

  it("sends byte after byte", async () => {
    issuer.instead = (_, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(drip));
      return true;
    };
    await expect(verify({ timeoutMs: 300 })).rejects.toMatchObject(unreachable("within 0.3 s"));
  });

  it("sends 10 MB of keys", async () => {
    answer("/jwks", 200, JSON.stringify({ keys: [], more: "x".repeat(10_000_000) }));
    await expect(verify()).rejects.toMatchObject(unreachable("more than 256 KB"));
  });

  it("redirects elsewhere, which is not followed", async () => {
    let visits = 0;
    const elsewhere = http.createServer((_, response) => {
      visits++;
      response.end("{}");
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    const { port } = elsewhere.address() as { port: number };
    answer(discovery, 302, "", { location: `http://127.0.0.1:${port}/` });
    await expect(verify()).rejects.toMatchObject(unreachable("with status 302"));
    answer("/jwks", 307, "", { location: `http://127.0.0.1:${port}/` });
    await expect(verify()).rejects.toMatchObject(unreachable("with status 307"));
    elsewhere.close();
    expect(visits).toBe(0);
  });

  it.each([
    [
      "names another issuer",
      discovery,
      { issuer: "https://evil.example", jwks_uri: "https://evil.example/jwks" },
      "calls itself",
    ],
    [
      "has its keys elsewhere",
      discovery,
      { issuer: "", jwks_uri: "https://evil.example/jwks" },
      "at another host",
    ],
    ["has no key set", discovery, {}, "without issuer and jwks_uri"],
    ["sends other JSON in place of keys", "/jwks", { keys: "none" }, "something other than keys"],
  ])("%s", async (_, path, body, message) => {
    answer(
      path,
      200,
      JSON.stringify("issuer" in body && body.issuer === "" ? { ...body, issuer: issuer.url } : body),
    );
    await expect(verify()).rejects.toMatchObject(unreachable(message));
  });

  it("sends a web page", async () => {
    answer(discovery, 200, "<html>");
    await expect(verify()).rejects.toMatchObject(unreachable("something other than JSON"));
  });

  it("failed a moment ago, without another request", async () => {
    answer(discovery, 500, "");
    const { verify } = verifier();
    await expect(verify(await sign())).rejects.toMatchObject(unreachable("with status 500"));
    issuer.instead = null;
    await expect(verify(await sign())).rejects.toMatchObject(unreachable("with status 500"));
    expect(issuer.requests).toHaveLength(1);
    ahead = 31_000;
    expect((await verify(await sign())).repository).toBe("octo/iris");
  });
});
