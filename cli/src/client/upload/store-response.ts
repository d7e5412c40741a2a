import { CrowdaiError } from "@crowdai/shared";
import { BadResponse, badResponse, proxyError, storeCode } from "../http/http-response.ts";
import { NetworkFault } from "../http/network-fault.ts";
import type { Reply } from "../http/response-body.ts";

/** Returns the error in an object store's answer: JSON from the broker's own store, XML from S3. */
export function storeResponse(reply: Reply, text: string): BadResponse {
  const answer = badResponse(reply, text);
  const { status, message, retryAfterMs } = answer;
  if (answer.refusal) return answer;
  switch (storeCode(text)) {
    case "BadDigest":
    case "InvalidDigest":
      return new BadResponse(message, status, new CrowdaiError("digest_mismatch"));
    case "NoSuchUpload":
    case "NoSuchBucket":
    case "NoSuchKey":
      return new BadResponse(
        message,
        status,
        new CrowdaiError("object_missing", "This upload is no longer open."),
      );
    // S3 answers this for a stalled body, for which other stores and proxies use status 408.
    case "RequestTimeout":
      return new BadResponse(message, 408, null, { retryAfterMs });
    case "EntityTooLarge":
      return new BadResponse(message, 413, null);
    default:
      return answer;
  }
}

/**
 * Returns whether the store has stored the bytes: a page to sign in to a network comes with a status of
 * success too. OpenStack's store calls its empty answer text/html; like every S3 store it adds an ETag.
 */
export function isStored({ statusCode = 0, headers }: Reply, text: string): boolean {
  const isHtml = headers["content-type"]?.startsWith("text/html") ?? false;
  const isPage = /^\s*<(!doctype|html)/i.test(text) || (isHtml && (text !== "" || !headers.etag));
  return statusCode >= 200 && statusCode < 300 && !isPage;
}

/**
 * Turns a failure into a CrowdaiError without the signed address, which allows anyone who has it to write.
 */
export function explainStoreFailure(failure: unknown, url: URL): unknown {
  if (failure instanceof NetworkFault)
    return new CrowdaiError(
      "store_unreachable",
      `The object store at ${url.host} cannot be reached: ${failure.message}.`,
      { details: { store: url.host, cause: failure.code }, cause: failure },
    );
  if (!(failure instanceof BadResponse)) return failure;
  if (failure.refusal) return failure.refusal;
  if (failure.proxy !== null)
    return proxyError(failure, {
      server: `the object store at ${url.host}`,
      away: "store_unreachable",
      details: { store: url.host },
    });
  if (failure.status === 403)
    return new CrowdaiError("signature_invalid", "The object store refused the signed upload address.");
  if (failure.status === 413)
    return new CrowdaiError("file_too_large", "The object store refused the file as too large.");
  return new CrowdaiError(
    "store_unreachable",
    `The object store at ${url.host} answered ${failure.message}.`,
    {
      details: { store: url.host, status: failure.status },
    },
  );
}
