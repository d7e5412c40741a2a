import { CrowdaiError } from "@crowdai/shared";
import { createLocalJWKSet, errors, type JWTVerifyGetKey } from "jose";
import { z } from "zod";
import type { CiIssuer } from "../../base/ci-issuers.ts";
import type { Clock } from "../../base/clock.ts";
import { readDocument, UnusableDocument } from "./read-document.ts";

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url() });
const keysSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

export interface IssuerKeyTimes {
  /** Limit of one request to an issuer. */
  timeoutMs: number;
  /** How long keys are used before they are read again. */
  freshMs: number;
  /** How long keys are used while the issuer does not answer. */
  staleMs: number;
  /** Minimum time between two reads for a key that is not among the known ones, and after a failed read. */
  cooldownMs: number;
}

export const ISSUER_KEY_TIMES: IssuerKeyTimes = {
  timeoutMs: 5_000,
  freshMs: 10 * 60_000,
  staleMs: 24 * 3_600_000,
  cooldownMs: 30_000,
};

interface Known {
  keyOf: JWTVerifyGetKey;
  at: number;
}

/** The public keys of one issuer, by discovery. */
export type IssuerKeys = JWTVerifyGetKey;

/**
 * Returns a function that finds the key of a token. Keys are cached, and read again for an unknown one at
 * most once in `cooldownMs`. Throws ci_issuer_unreachable when there are no usable keys.
 */
export function issuerKeys(
  issuer: CiIssuer,
  clock: Clock,
  times: IssuerKeyTimes = ISSUER_KEY_TIMES,
): IssuerKeys {
  let known: Known | null = null;
  let failed: { error: CrowdaiError; at: number } | null = null;
  let reading: Promise<Known> | null = null;
  const now = () => clock().getTime();
  const isYounger = (at: number, ms: number) => Math.abs(now() - at) < ms;

  /** One request at a time. */
  function read(): Promise<Known> {
    reading ??= readKeys().finally(() => {
      reading = null;
    });
    return reading;
  }

  async function readKeys(): Promise<Known> {
    if (failed && isYounger(failed.at, times.cooldownMs)) throw failed.error;
    try {
      known = { keyOf: createLocalJWKSet(await readKeySet(issuer, times.timeoutMs)), at: now() };
      failed = null;
      return known;
    } catch (error) {
      failed = { error: unreachable(issuer, error), at: now() };
      throw failed.error;
    }
  }

  async function current(): Promise<Known> {
    if (known && isYounger(known.at, times.freshMs)) return known;
    return read().catch((error) => {
      if (known && isYounger(known.at, times.staleMs)) return known;
      throw error;
    });
  }

  return async (header, token) => {
    const found = await current();
    try {
      return await found.keyOf(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || isYounger(found.at, times.cooldownMs)) throw error;
      return (await read()).keyOf(header, token);
    }
  };
}

async function readKeySet(issuer: CiIssuer, timeoutMs: number) {
  const found = discoverySchema.safeParse(
    await readDocument(`${issuer.url.replace(/\/$/, "")}/.well-known/openid-configuration`, timeoutMs),
  );
  if (!found.success) throw new UnusableDocument("has a discovery document without issuer and jwks_uri");
  if (found.data.issuer !== issuer.url)
    throw new UnusableDocument(`calls itself "${found.data.issuer.slice(0, 200)}" in its discovery document`);
  if (new URL(found.data.jwks_uri).origin !== new URL(issuer.url).origin)
    throw new UnusableDocument("has its keys at another host");
  const keys = keysSchema.safeParse(await readDocument(found.data.jwks_uri, timeoutMs));
  if (!keys.success)
    throw new UnusableDocument(`answered ${found.data.jwks_uri} with something other than keys`);
  return keys.data;
}

function unreachable({ url }: CiIssuer, error: unknown): CrowdaiError {
  const reason = error instanceof UnusableDocument ? error.message : "has keys that cannot be used";
  return new CrowdaiError(
    "ci_issuer_unreachable",
    `The broker cannot verify the token now: the issuer ${url} ${reason}.`,
    { cause: error },
  );
}
