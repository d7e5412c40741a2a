import { CrowdaiError } from "@crowdai/shared";
import { streamOf } from "@crowdai/shared/objects";
import type { Context } from "hono";
import type { Caller } from "../../domain/participants/api-keys.ts";
import { isDetailedResults, readArtifacts } from "../../domain/submissions/artifacts.ts";
import type { HttpNeeds } from "../requests/http-services.ts";
import { seenSubmission } from "./access.ts";
import { setPolicy } from "./content-policy.ts";

/** More than a browser shows in a frame with pleasure; a larger page is an artifact to download. */
const MAX_BYTES = 20 * 1024 * 1024;
/**
 * The page has an origin of its own, wherever it is opened: no scripts, no forms, no way to the broker's
 * pages and their session. It may load nothing, and brings its pictures and styles with it.
 */
const POLICY =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/** Answers with the page that an evaluator wrote about a submission, for its participant and organizers. */
export async function detailedResults(
  c: Context,
  context: HttpNeeds<"records" | "objects" | "catalog" | "clock">,
  caller: Caller | null,
  id: string,
): Promise<Response> {
  const { row, access } = await seenSubmission(context, caller, id);
  const files = access === "other" ? [] : await readArtifacts(context.records.db, row);
  const file = files.find((one) => isDetailedResults(one) && one.size <= MAX_BYTES);
  if (!file) throw new CrowdaiError("object_missing", "This submission has no detailed results.");
  setPolicy(c, POLICY);
  return c.body(streamOf(await context.objects.get(file.key)), 200, {
    "content-type": "text/html; charset=utf-8",
    "content-length": String(file.size),
    "cache-control": "private, no-store",
  });
}
