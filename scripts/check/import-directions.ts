import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../lib/root.ts";
import { DIRECTIONS, type Directions, KNOWN_EXCEPTIONS } from "./allowed-directions.ts";
import { findCycles } from "./cycles.ts";
import { type Import, readImports } from "./read-imports.ts";

/** Tests and what only tests use may reach into every part. */
const isForTests = (file: string) => /\.(?:test|contract)\.tsx?$/.test(file) || file.includes("/testing/");

/**
 * Returns every import that breaks the table of directions, and every cycle between files and between
 * folders.
 */
export function directionProblems(
  at: string,
  packages: readonly Directions[],
  exceptions: readonly string[],
): string[] {
  const all = packages.map((rules) => ({ rules, imports: readImports(at, rules.folder) }));
  const existing = new Set(all.flatMap(({ imports }) => imports.flatMap(namesOf)));
  const unused = exceptions.filter((exception) => !existing.has(exception));
  return [
    ...unused.map((exception) => `exception no longer needed: ${exception}`),
    ...all.flatMap(({ rules, imports }) => {
      const counted = imports.filter((one) => !namesOf(one).some((name) => exceptions.includes(name)));
      const production = counted.filter(({ from }) => !isForTests(from));
      return [
        ...production.flatMap((one) => directionProblem(rules, one)),
        ...fileCycles(counted),
        ...folderCycles(production),
      ];
    }),
  ];
}

const arrow = ({ from, to }: Import) => `${from} -> ${to}`;

/** Returns how an exception may name an import: by both files, or by the imported one alone. */
const namesOf = (one: Import): string[] => [arrow(one), `any -> ${one.to}`];

function directionProblem(rules: Directions, one: Import): string[] {
  const because = brokenRule(rules, one);
  return because === null ? [] : [`${one.from} imports ${one.to}: ${because}`];
}

function brokenRule(
  { folder, packages, outside = [], parts, forbidden = [] }: Directions,
  one: Import,
): string | null {
  const { from, to, isRelative } = one;
  if (!isRelative) {
    const banned = forbidden.find((rule) => from.startsWith(`${folder}/${rule.in}/`));
    if (banned?.packages.some((name) => isPackage(to, name))) return `${banned.in} must not know ${to}`;
    const workspace = /^(?:@crowdai\/[^/]+|crowdai)(?=\/|$)/.exec(to)?.[0];
    const isAllowed = !workspace || packages.includes(workspace) || packages.includes("*");
    return isAllowed ? null : `${folder} must not import ${workspace}`;
  }
  if (!to.startsWith(`${folder}/`))
    return packages.includes("*") || outside.includes(to) ? null : `${folder} must not reach outside itself`;
  if (!parts) return null;
  const [source, target] = [partOf(folder, from), partOf(folder, to)];
  if (source === target) return null;
  const allowed = parts[source] ?? [];
  if (allowed.includes(target)) return null;
  return `${source} may import only ${allowed.join(", ") || "packages"}`;
}

const isPackage = (specifier: string, name: string) => specifier === name || specifier.startsWith(`${name}/`);

/** The folder or file just below the package's source folder. */
const partOf = (folder: string, file: string): string =>
  file.slice(folder.length + 1).split("/")[0] as string;

function fileCycles(imports: readonly Import[]): string[] {
  const graph = graphOf(imports, (file) => file);
  return findCycles(graph).map((cycle) => `files import each other: ${[...cycle, cycle[0]].join(" -> ")}`);
}

function folderCycles(imports: readonly Import[]): string[] {
  const graph = graphOf(imports, folderOf);
  return findCycles(graph).map((cycle) => {
    const steps = cycle.map((folder, index) => {
      const next = cycle[(index + 1) % cycle.length];
      const example = imports.find(
        ({ from, to, isRelative }) => isRelative && folderOf(from) === folder && folderOf(to) === next,
      ) as Import;
      return `\n    ${arrow(example)}`;
    });
    return `folders import each other: ${cycle.join(", ")}${steps.join("")}`;
  });
}

/** An index file is the face of its folder: it may import from subfolders that import from the folder. */
const folderOf = (file: string): string => (basename(file) === "index.ts" ? file : dirname(file));

function graphOf(imports: readonly Import[], nodeOf: (file: string) => string): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>();
  for (const { from, to, isRelative } of imports) {
    if (!isRelative) continue;
    const [source, target] = [nodeOf(from), nodeOf(to)];
    const targets = graph.get(source) ?? new Set();
    graph.set(source, targets);
    if (source !== target) targets.add(target);
  }
  return graph;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = directionProblems(root, DIRECTIONS, KNOWN_EXCEPTIONS);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}
