import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../lib/root.ts";
import { ignoredText } from "./ignored-text.ts";

/** A small change of a source file, which some test should notice. */
export interface Mutant {
  /** Path of the file, "#", and a number. */
  id: string;
  file: string;
  /** From 1. */
  line: number;
  /** The line of the source, without indentation. */
  source: string;
  /** The code that is replaced, and its replacement. */
  change: string;
}

export interface InstrumentedFile {
  /** The source with all of its mutants, of which one at a time is switched on. */
  code: string;
  mutants: Mutant[];
}

interface Position {
  line: number;
  column: number;
}

/**
 * The part of StrykerJS's instrumenter that is used here. Its packages are installed later, so its types are
 * not there.
 */
interface Instrumenter {
  instrument(
    files: { name: string; mutate: boolean; content: string }[],
    options: object,
  ): Promise<{
    files: { content: string }[];
    mutants: {
      id: string;
      status?: string;
      replacement: string;
      location: { start: Position; end: Position };
    }[];
  }>;
}

const PACKAGES = join(root, "node_modules/.mutate/packages");
const MAX_SHOWN = 100;
/**
 * Texts are left alone: most are messages, which tests need not repeat word for word, and the compiler checks
 * those that name a state, a column or a code.
 */
const OPTIONS = {
  plugins: null,
  excludedMutations: ["StringLiteral"],
  ignorers: [{ shouldIgnore: ignoredText }],
  noHeader: false,
};

/** Installs StrykerJS's instrumenter where it is missing or another version, and loads it. */
export async function loadInstrumenter(): Promise<Instrumenter> {
  const pinned = join(root, "scripts/mutate/packages");
  const lock = (folder: string) => readFileSync(join(folder, "package-lock.json"), "utf8");
  const installed = join(PACKAGES, "node_modules/.package-lock.json");
  if (!existsSync(installed) || lock(PACKAGES) !== lock(pinned)) {
    console.error("Installing StrykerJS's instrumenter (npm ci) …");
    mkdirSync(PACKAGES, { recursive: true });
    cpSync(pinned, PACKAGES, { recursive: true });
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    execFileSync("npm", ["ci", ...options], { cwd: PACKAGES, stdio: "inherit" });
  }
  const main = createRequire(join(PACKAGES, "package.json")).resolve("@stryker-mutator/instrumenter");
  const { Instrumenter } = await import(pathToFileURL(main).href);
  const silent = { isDebugEnabled: () => false, debug() {}, info() {}, warn() {} };
  return new Instrumenter(silent);
}

export async function instrument(instrumenter: Instrumenter, file: string): Promise<InstrumentedFile> {
  const content = readFileSync(join(root, file), "utf8");
  const lines = content.split("\n");
  const result = await instrumenter.instrument([{ name: join(root, file), mutate: true, content }], OPTIONS);
  const code = result.files[0]!.content.replace(
    /\b(stryMutAct_9fa48|stryCov_9fa48)\(("\d+"(?:, "\d+")*)\)/g,
    (_call, helper: string, ids: string) => `${helper}(${ids.replace(/"(\d+)"/g, `"${file}#$1"`)})`,
  );
  const mutants = result.mutants
    .filter(({ status }) => status !== "Ignored")
    .map(({ id, location: { start, end }, replacement }) => ({
      id: `${file}#${id}`,
      file,
      line: start.line + 1,
      source: lines[start.line]!.trim(),
      change: `${short(textBetween(lines, start, end))} → ${short(replacement)}`,
    }));
  return { code, mutants };
}

function textBetween(lines: readonly string[], start: Position, end: Position): string {
  if (start.line === end.line) return lines[start.line]!.slice(start.column, end.column);
  const between = lines.slice(start.line + 1, end.line);
  return [lines[start.line]!.slice(start.column), ...between, lines[end.line]!.slice(0, end.column)].join(
    " ",
  );
}

function short(text: string): string {
  const one = text.replace(/\s+/g, " ").trim();
  return one.length <= MAX_SHOWN ? one : `${one.slice(0, MAX_SHOWN)} …`;
}
