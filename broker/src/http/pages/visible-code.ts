import { type CodeDiff, type CodePlace, CrowdaiError } from "@crowdai/shared";
import type { CodeNeeds } from "../../background/code-services.ts";
import { diffCode } from "../../background/published-code/code-diff.ts";
import { codePlace, findPrevious, findReadableCode } from "../../background/published-code/readable-code.ts";
import type { Caller } from "../../domain/participants/api-keys.ts";

/** Limits of the diff that a page shows. */
const PATCH_BYTES = 200_000;
const FILES = 200;

/** Code that the reader may read: where it is, and its changes since the previous submission. */
export interface VisibleCode {
  place: CodePlace;
  /** Null when there is no earlier code to read, or when the diff failed. */
  diff: CodeDiff | null;
}

/** Returns null when there is no code that the reader may read. */
export async function readVisibleCode(
  {
    records,
    log,
    baseUrl,
    repositories,
    host,
    kind,
  }: CodeNeeds<"records" | "log" | "baseUrl" | "repositories" | "host" | "kind">,
  caller: Caller | null,
  id: string,
  /** Null without the diff; otherwise who asks for it, see GitRun. */
  diffReader: string | null,
): Promise<VisibleCode | null> {
  const { db } = records;
  const found = await findReadableCode(db, caller, id).catch((error) => {
    if (error instanceof CrowdaiError && error.code === "code_unavailable") return null;
    throw error;
  });
  if (!found) return null;
  const place = codePlace(found, { host, kind, baseUrl: baseUrl() });
  const before = diffReader === null ? null : await findPrevious(db, found, caller);
  const limits = { patch: PATCH_BYTES, files: FILES, reader: diffReader ?? "" };
  const diff = before
    ? await diffCode(repositories, before, found, limits).catch((error) => {
        log.warn({ event: "page_diff_failed", err: error, submission: id }, "page diff failed");
        return null;
      })
    : null;
  return { place, diff };
}
