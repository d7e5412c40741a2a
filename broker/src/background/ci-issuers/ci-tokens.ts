import { CrowdaiError } from "@crowdai/shared";
import { decodeJwt, errors, jwtVerify } from "jose";
import { type CiIssuer, isLoopbackHost } from "../../base/ci-issuers.ts";
import type { Clock } from "../../base/clock.ts";
import { type JobIdentity, jobIdentity } from "../../domain/ci/job-identity.ts";
import { type IssuerKeys, type IssuerKeyTimes, issuerKeys } from "./issuer-keys.ts";

/** With a shared secret, or none, anyone who knows the public keys could sign. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
const TOLERANCE_SECONDS = 30;
/** Tokens of jobs live for minutes, or at most as long as a job. */
const MAX_AGE_SECONDS = 24 * 3600;

/** Verifies the tokens of CI jobs. */
export interface CiTokens {
  readonly issuers: readonly CiIssuer[];
  /**
   * Returns the job of a token. Throws ci_token_invalid, ci_issuer_unreachable, or ci_not_trusted for an
   * issuer that this broker does not accept.
   */
  verify(token: string): Promise<JobIdentity>;
}

/** Creates a verifier for tokens that were issued for the broker's address. */
export function ciTokens(options: {
  issuers: readonly CiIssuer[];
  baseUrl: () => string;
  clock: Clock;
  times?: IssuerKeyTimes | undefined;
}): CiTokens {
  const { issuers, baseUrl, clock, times } = options;
  const keys = new Map<CiIssuer, IssuerKeys>(
    issuers.map((issuer) => [issuer, issuerKeys(issuer, clock, times)]),
  );

  async function verify(token: string): Promise<JobIdentity> {
    const { iss } = claimsOf(token);
    const issuer = issuers.find(({ url }) => url === iss);
    if (!issuer)
      throw new CrowdaiError(
        "ci_not_trusted",
        `This broker does not accept tokens of the issuer ${typeof iss === "string" ? iss.slice(0, 200) : "without a name"}.`,
        { next: "Ask the operator to add it to CI_ISSUERS." },
      );
    try {
      const { payload } = await jwtVerify(token, keys.get(issuer) as IssuerKeys, {
        algorithms: ALGORITHMS,
        issuer: issuer.url,
        audience: audiencesOf(baseUrl()),
        clockTolerance: TOLERANCE_SECONDS,
        maxTokenAge: MAX_AGE_SECONDS,
        requiredClaims: ["exp", "iat", "jti", "sub"],
        currentDate: clock(),
      });
      return jobIdentity(issuer, payload);
    } catch (error) {
      throw explain(error, baseUrl(), token);
    }
  }
  return { issuers, verify };
}

/** Reads claims that nothing has verified, only to choose the issuer. */
function claimsOf(token: string) {
  try {
    return decodeJwt(token);
  } catch (cause) {
    throw new CrowdaiError("ci_token_invalid", "The token is not a JSON Web Token.", { cause });
  }
}

/** The broker's address, with and without a slash; a broker on this machine has several names. */
function audiencesOf(baseUrl: string): string[] {
  const url = new URL(baseUrl);
  const names = isLoopbackHost(url.hostname) ? ["localhost", "127.0.0.1", "[::1]"] : [url.hostname];
  return names.flatMap((name) => {
    const path = url.pathname.replace(/\/+$/, "");
    const address = `${url.protocol}//${name}${url.port ? `:${url.port}` : ""}${path}`;
    return [address, `${address}/`];
  });
}

function explain(error: unknown, baseUrl: string, token: string): unknown {
  if (error instanceof CrowdaiError) return error;
  if (!(error instanceof errors.JOSEError)) return error;
  return new CrowdaiError(
    "ci_token_invalid",
    `The token was not accepted: ${reasonOf(error, baseUrl, token)}.`,
    {
      cause: error,
    },
  );
}

function reasonOf(error: errors.JOSEError, baseUrl: string, token: string): string {
  if (error instanceof errors.JWTExpired) return "it has expired";
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === "aud")
      return `it is for ${shown(claimsOf(token).aud)}, and this broker is ${baseUrl}`;
    if (error.claim === "nbf") return "it is not valid yet";
    return error.reason === "missing" ? `it has no ${error.claim}` : `its ${error.claim} is not acceptable`;
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return "its signature is wrong";
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported)
    return "it is signed with an algorithm that is not allowed";
  if (error instanceof errors.JWKSNoMatchingKey) return "its issuer has no such key";
  return "it is malformed";
}

const shown = (audience: unknown) => JSON.stringify(audience ?? null).slice(0, 200);
