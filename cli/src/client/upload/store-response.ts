import { CrowdaiError } from "@crowdai/shared";
import { BadResponse, badResponse } from "../http/http-response.ts";
import { NetworkFault } from "../http/network-fault.ts";
import type { Reply } from "../http/response-body.ts";

/** What an object store says of a part: the broker's own in the words of the catalog, S3 in an XML document. */
export function storeResponse(reply: Reply, text: string): BadResponse {
  const answer = badResponse(reply, text);
  const [, code] = /<Code>(\w+)<\/Code>/.exec(text) ?? [];
  if (answer.refusal || !code) return answer;
  const status = answer.status;
  const said = `with status ${status} (${code})`;
  switch (code) {
    case "BadDigest":
    case "InvalidDigest":
      return new BadResponse(said, status, new CrowdaiError("digest_mismatch"));
    case "NoSuchUpload":
    case "NoSuchBucket":
    case "NoSuchKey":
      return new BadResponse(
        said,
        status,
        new CrowdaiError("object_missing", "This upload is not open any more."),
      );
    // Of a body that stopped coming: for all other stores and proxies that is status 408.
    case "RequestTimeout":
      return new BadResponse(said, 408, null, answer.retryAfterMs);
    default:
      return new BadResponse(said, status, null, answer.retryAfterMs);
  }
}

/** Names a failure without the address, which is a secret: whoever has it may write. */
export function explainStoreFailure(failure: unknown, url: URL): unknown {
  if (failure instanceof NetworkFault)
    return new CrowdaiError(
      "store_unreachable",
      `The object store at ${url.host} cannot be reached: ${failure.message}.`,
      { details: { store: url.host, cause: failure.code }, cause: failure },
    );
  if (!(failure instanceof BadResponse)) return failure;
  if (failure.refusal) return failure.refusal;
  if (failure.status === 403)
    return new CrowdaiError("signature_invalid", "The object store refused the signed address.");
  if (failure.status === 413)
    return new CrowdaiError("file_too_large", "The object store says that the file is too large.");
  return new CrowdaiError(
    "store_unreachable",
    `The object store at ${url.host} answered ${failure.message}.`,
    {
      details: { store: url.host, status: failure.status },
    },
  );
}
