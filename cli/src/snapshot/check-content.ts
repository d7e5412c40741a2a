import { CrowdaiError } from "@crowdai/shared";
import { refusedByGit } from "./git-names.ts";
import type { BytePath } from "./list-files.ts";
import type { Read } from "./read-file.ts";
import { secretSettings } from "./secret-names.ts";
import { shownPath } from "./shown-path.ts";
import type { Mode } from "./tree-writer.ts";

export type Finding = import("./secret-contents.ts").Finding;

interface Checked {
  /** Why the file is left out; null when it is taken. */
  refused: string | null;
  findings: Finding[];
}

/** Text is searched for secrets; what has a zero byte near its beginning is none. */
export async function checkContent(path: BytePath, mode: Mode, { bytes }: Read): Promise<Checked> {
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

let loaded: Promise<typeof import("./secret-contents.ts")> | undefined;
function scanner(): Promise<typeof import("./secret-contents.ts")> {
  loaded ??= import("./secret-contents.ts");
  return loaded;
}

const MOST_NAMED = 20;

/** For a snapshot that nobody allowed to hold what was found. */
export function secretsFound(findings: readonly Finding[]): CrowdaiError {
  const lines = findings.slice(0, MOST_NAMED).map(({ path, line, what }) => `  ${path}:${line}: ${what}`);
  if (findings.length > MOST_NAMED) lines.push(`  and ${findings.length - MOST_NAMED} more`);
  return new CrowdaiError("code_secrets", `The code seems to hold secrets:\n${lines.join("\n")}`, {
    details: { findings },
  });
}
