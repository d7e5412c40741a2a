import { CrowdaiError } from "@crowdai/shared";
import type { BytePath } from "../../git/byte-path.ts";
import { shownPath } from "../../git/byte-path.ts";
import type { Mode } from "../../git/tree-writer.ts";
import type { FileContent } from "../files/read-file.ts";
import { refusedByGit } from "./portable-names.ts";
import { secretSettings } from "./secret-names.ts";

export type SecretFinding = import("./scan-secrets.ts").SecretFinding;

interface Checked {
  /** Why the file is left out; null when it is taken. */
  refused: string | null;
  findings: SecretFinding[];
}

/** Text is searched for secrets; what has a zero byte near its beginning is none. */
export async function checkContent(path: BytePath, mode: Mode, { bytes }: FileContent): Promise<Checked> {
  const isText = mode !== "120000" && !bytes.subarray(0, 8192).includes(0);
  if (!isText) return { refused: null, findings: [] };
  const { findSecrets, looksSecret } = await scanner();
  const text = bytes.toString("latin1");
  const refused = secretSettings(path, text);
  if (refused) return { refused: `it holds ${refused}`, findings: [] };
  const byGit = refusedByGit(path, text);
  if (byGit) return { refused: byGit, findings: [] };
  if (!looksSecret(text)) return { refused: null, findings: [] };
  return { refused: null, findings: await findSecrets(shownPath(path), bytes.toString("utf8")) };
}

let loaded: Promise<typeof import("./scan-secrets.ts")> | undefined;
function scanner(): Promise<typeof import("./scan-secrets.ts")> {
  loaded ??= import("./scan-secrets.ts");
  return loaded;
}

const MAX_NAMED = 20;

/** For a snapshot that nobody allowed to hold what was found. */
export function secretsFound(findings: readonly SecretFinding[]): CrowdaiError {
  const lines = findings.slice(0, MAX_NAMED).map(({ path, line, what }) => `  ${path}:${line}: ${what}`);
  if (findings.length > MAX_NAMED) lines.push(`  and ${findings.length - MAX_NAMED} more`);
  return new CrowdaiError("code_secrets", `The code seems to hold secrets:\n${lines.join("\n")}`, {
    details: { findings },
  });
}
