import { lintSource } from "@secretlint/core";
import { creator as recommended } from "@secretlint/secretlint-rule-preset-recommend";
import { readCells } from "./notebook-cells.ts";
import { crowdaiKeyRule, huggingFaceRule } from "./secretlint-rules.ts";

export interface SecretFinding {
  path: string;
  line: number;
  /** In a notebook, the number of the cell, from 1. */
  cell?: number;
  /** The kind of secret, never the secret itself. */
  what: string;
}

/**
 * Text that every match of a rule contains. Only files that match are passed to the rules, which are far
 * slower; a test checks this list against an example of each rule.
 */
const SECRET_HINT = new RegExp(
  [
    "PRIVATE KEY",
    "(?:SECRET|secret|Secret)_?(?:ACCESS|access|Access)",
    "\\b(?:A3T[A-Z0-9]|AKIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ASIA)[A-Z0-9]{16}",
    ":x-oauth-basic@",
    "_authToken=",
    "npm_[A-Za-z0-9_]{36}",
    "xox[bpaor]-|xapp-",
    anyCase("hooks.slack.com"),
    "(?:https?|ftps?)://[-a-zA-Z0-9_]{1,256}:[-a-zA-Z0-9_]{1,256}@",
    "sk-(?:proj|svcacct|admin)-|T3BlbkFJ|sk-ant-api0",
    "lin_api_",
    "SG\\.\\w{1,128}\\.\\w",
    "shp(?:pa|ca|at|ss)_",
    "gh[pousr]_[A-Za-z0-9_]{36}|github_pat_",
    "ops_ey",
    `(?:${anyCase("mongodb")}|${anyCase("mongodb+srv")}|${anyCase("mysql")}|${anyCase("mysqlx")}|${anyCase("postgres")}|${anyCase("postgresql")})://[^:/\\s]{1,100}:`,
    "crowdai_[0-9A-Za-z]{43}",
    "hf_[A-Za-z0-9]{30}",
  ].join("|"),
);

/** Returns a pattern for the text that ignores case. */
function anyCase(text: string): string {
  return text.replace(/./g, (c) => (/[a-z]/.test(c) ? `[${c}${c.toUpperCase()}]` : `\\${c}`));
}

const CONFIG = {
  rules: [
    {
      id: "@secretlint/secretlint-rule-preset-recommend",
      rule: recommended,
      rules: [
        {
          id: "@secretlint/secretlint-rule-aws",
          options: { enableIDScanRule: true },
          allowMessageIds: ["AWSAccountID"],
        },
      ],
    },
    { id: "crowdai/api-key", rule: crowdaiKeyRule },
    { id: "crowdai/hugging-face", rule: huggingFaceRule },
  ],
};

/** Returns whether a file may contain a secret, so that the rules must be run. */
export function looksSecret(text: string): boolean {
  return SECRET_HINT.test(text);
}

/** Finds secrets in a text file, each with its line, and in a notebook with its cell. */
export async function findSecrets(path: string, text: string): Promise<SecretFinding[]> {
  const cells = /\.ipynb$/i.test(path) ? readCells(text) : [];
  const cellAt = (offset: number) => cells.findIndex(({ start, end }) => start <= offset && offset < end) + 1;
  const found = (await scan(path, text)).map(({ line, what, offset }) => ({
    path,
    line,
    what,
    cell: cellAt(offset),
  }));
  for (const [i, { start, text: inside }] of cells.entries()) {
    // Escapes hide a secret from some rules, and so do the strings that a cell's lines are.
    if (!looksSecret(inside)) continue;
    const line = text.slice(0, start).split("\n").length;
    for (const { what } of await scan(path, inside))
      if (!found.some((one) => one.cell === i + 1 && one.what === what))
        found.push({ path, line, what, cell: i + 1 });
  }
  return found
    .filter(
      (one, i) =>
        found.findIndex(
          ({ line, what, cell }) => line === one.line && what === one.what && cell === one.cell,
        ) === i,
    )
    .map(({ cell, ...finding }) => (cell === 0 ? finding : { ...finding, cell }));
}

async function scan(path: string, text: string): Promise<{ line: number; offset: number; what: string }[]> {
  const dot = path.lastIndexOf(".");
  const result = await lintSource({
    source: { content: text, filePath: path, ext: dot < 0 ? "" : path.slice(dot), contentType: "text" },
    options: { config: CONFIG, maskSecrets: true, noPhysicFilePath: true },
  });
  return result.messages.map(({ loc, range, ruleId, messageId }) => ({
    line: loc.start.line,
    offset: range[0],
    what: describe(ruleId, messageId),
  }));
}

function describe(ruleId: string, messageId: string): string {
  const rule = ruleId.replace(/^@secretlint\/secretlint-rule-|^crowdai\//, "");
  return `${rule}: ${messageId
    .replace(/_/g, " ")
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()}`;
}
