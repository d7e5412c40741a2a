import { CrowdaiError } from "@crowdai/shared";
import type { BytePath } from "../../git/byte-path.ts";
import { shownPath } from "../../git/byte-path.ts";
import type { Mode } from "../../git/tree-writer.ts";
import type { FileContent } from "../files/read-file.ts";
import { refusedAttributes } from "./git-attributes.ts";
import { secretSettings } from "./secret-names.ts";

export type SecretFinding = import("./scan-secrets.ts").SecretFinding;

interface Checked {
  /** Why the file is left out; null if it is included. */
  refused: string | null;
  findings: SecretFinding[];
}

/**
 * Searches a text file for secrets. A file with a zero byte near its start counts as binary and is not
 * searched.
 */
export async function checkContent(path: BytePath, mode: Mode, { bytes }: FileContent): Promise<Checked> {
  const byGit = mode === "120000" ? null : refusedAttributes(path, bytes);
  if (byGit) return { refused: byGit, findings: [] };
  const isText = mode !== "120000" && !bytes.subarray(0, 8192).includes(0);
  if (!isText) return { refused: null, findings: [] };
  const { findSecrets, looksSecret } = await scanner();
  const text = bytes.toString("latin1");
  const refused = secretSettings(path, text);
  if (refused) return { refused: `it contains ${refused}`, findings: [] };
  if (!looksSecret(text)) return { refused: null, findings: [] };
  return { refused: null, findings: await findSecrets(shownPath(path), bytes.toString("utf8")) };
}

let loaded: Promise<typeof import("./scan-secrets.ts")> | undefined;
function scanner(): Promise<typeof import("./scan-secrets.ts")> {
  loaded ??= import("./scan-secrets.ts");
  return loaded;
}

const MAX_NAMED = 20;

/** The error for a snapshot with secrets that the user has not allowed. */
export function secretsFound(findings: readonly SecretFinding[]): CrowdaiError {
  const lines = findings.slice(0, MAX_NAMED).map((one) => `  ${placeOf(one)}: ${one.what}`);
  if (findings.length > MAX_NAMED) lines.push(`  and ${findings.length - MAX_NAMED} more`);
  return new CrowdaiError("code_secrets", `The code seems to contain secrets:\n${lines.join("\n")}`, {
    details: { findings },
  });
}

/** Returns where a secret was found, for people. */
export function placeOf({ path, line, cell }: SecretFinding): string {
  return cell === undefined ? `${path}:${line}` : `${path}:${line} (cell ${cell})`;
}
