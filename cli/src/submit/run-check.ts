import { PassThrough } from "node:stream";
import { asCrowdaiError, type PublicChallenge } from "@crowdai/shared";
import { checkFailed, checkFile, csvShapeSchema, type FormatRules, idsOf } from "@crowdai/shared/check";
import type { HttpClient } from "../client/http/http-client.ts";
import type { FilePath } from "../client/upload/undecoded-path.ts";

/** The input to check: the file at a path, or a JSON value. */
export type Checkable = { path: FilePath; name: string } | { value: unknown };

/**
 * The result of the challenge's check on this machine: the rules that the input passed, and those left to the
 * grader.
 */
export interface CheckReport {
  passed: string[];
  skipped: string[];
}

/** Downloading a longer list of ids would take longer than the submission itself. */
const MAX_ID_BYTES = 64 * 1024 * 1024;
const NEWER = "this client does not know its rules; a newer one may";

/**
 * Checks an input as far as this machine can, with the rules and the words of the grader. Sends nothing.
 * Throws check_failed, with the problems in its details.
 */
export async function runCheck(
  challenge: PublicChallenge,
  input: Checkable,
  { http, signal }: { http: HttpClient; signal?: AbortSignal },
): Promise<CheckReport> {
  const report: CheckReport = { passed: [], skipped: [] };
  const rules = challenge.check;
  if (!rules) return report;
  const { schema } = rules;
  if ("value" in input) {
    if (schema === null || schema === undefined) return report;
    const { checkJson } = await import("@crowdai/shared/check-json");
    const found = checkJson(input.value, schema);
    if (found.total > 0) throw checkFailed("The value", challenge.id, found, { sent: false });
    report.passed.push("the value matches the schema of the check");
    return report;
  }
  const csv = csvShapeSchema.nullish().safeParse(rules.csv);
  if (!csv.success) {
    report.skipped.push(NEWER);
    return report;
  }
  const shape: FormatRules = {
    csv: csv.data ?? null,
    schema: (schema ?? null) as FormatRules["schema"],
  };
  const ids = () =>
    idsOf(shape.csv, (file) => publicFile(challenge, file, { http, signal })).catch((thrown) => {
      const error = asCrowdaiError(thrown);
      if (signal?.aborted) throw error;
      report.skipped.push(`the ids were not checked here: ${error.message}`);
      return null;
    });
  const checked = await checkFile(input.path, shape, ids, signal);
  if (!checked) return report;
  if ("skipped" in checked) report.skipped.push(checked.skipped);
  else if (checked.found.total > 0)
    throw checkFailed(input.name, challenge.id, checked.found, { sent: false });
  else
    report.passed.push(
      checked.by === "csv"
        ? "the file has the columns, rows and values of the check"
        : "the file matches the schema of the check",
    );
  return report;
}

/** Streams a public file of the challenge, which no machine has to hold. */
async function* publicFile(
  { data }: PublicChallenge,
  named: string,
  { http, signal }: { http: HttpClient; signal?: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const name = named.replace(/^(\.\/)?public\//, "");
  const file = data.find((one) => one.name === name);
  if (!file) throw new Error(`the broker does not offer ${name}`);
  if (file.size > MAX_ID_BYTES) throw new Error(`${name} is larger than ${MAX_ID_BYTES} bytes`);
  const through = new PassThrough();
  const { size, sha256 } = file;
  http.download(file.url, { to: through, size, sha256, signal }).then(
    () => through.end(),
    (failure) => through.destroy(failure as Error),
  );
  yield* through as AsyncIterable<Uint8Array>;
}
