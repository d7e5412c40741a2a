import { readFileSync } from "node:fs";
import { join } from "node:path";

interface Module {
  /** Local name to the module it comes from and its name there. */
  imports: Map<string, { from: string; name: string }>;
  /** Exported again: name to where it comes from. */
  exports: Map<string, { from: string; name: string; type: boolean }>;
  /** Top-level declarations with their comments. */
  declarations: Map<string, string>;
}

const IDENTIFIER = /[A-Za-z_$][\w$]*/g;

/**
 * Of the declaration files that tsc wrote to `folder`, what the entry's exports reach and no more, file by file. Imports of
 * packages are kept as they are.
 */
export function reachableDeclarations(folder: string, entry: string): Map<string, string> {
  const modules = new Map<string, Module>();
  const kept = new Map<string, Set<string>>();
  const load = (file: string): Module => {
    if (!modules.has(file)) modules.set(file, parse(readFileSync(join(folder, file), "utf8")));
    return modules.get(file)!;
  };
  const include = (file: string, name: string): void => {
    const names = kept.get(file) ?? new Set();
    kept.set(file, names);
    if (names.has(name)) return;
    names.add(name);
    const { declarations, imports, exports } = load(file);
    const passedOn = exports.get(name) ?? imports.get(name);
    if (passedOn && isLocal(passedOn.from)) include(resolve(file, passedOn.from), passedOn.name);
    for (const mentioned of declarations.get(name)?.match(IDENTIFIER) ?? [])
      if (declarations.has(mentioned) || imports.has(mentioned)) include(file, mentioned);
  };
  const { exports, declarations } = load(entry);
  for (const name of [...exports.keys(), ...declarations.keys()]) include(entry, name);
  return new Map([...kept].map(([file, names]) => [file, print(load(file), names)]));
}

/** tsc begins each statement at the first column, and nothing else but closing brackets. */
function parse(text: string): Module {
  const module: Module = { imports: new Map(), exports: new Map(), declarations: new Map() };
  for (const statement of text.split(/\n(?=\/\*\*|export |import |declare |interface |type )(?<!\*\/\n)/)) {
    const code = statement.replace(/^\/\*\*[\s\S]*?\*\/\n/, "");
    const passed = code.match(/^(import|export)( type)? (?:(\w+),? ?)?(?:\{([^}]*)\} )?from "([^"]+)"/);
    if (passed) {
      const [, kind, typeOnly, byDefault, list = "", from = ""] = passed;
      if (byDefault) module.imports.set(byDefault, { from, name: "default" });
      for (const item of list
        .split(",")
        .map((part) => part.trim())
        .filter(Boolean)) {
        const [name = "", local = name] = item.replace(/^type /, "").split(" as ");
        const type = typeOnly !== undefined || item.startsWith("type ");
        if (kind === "import") module.imports.set(local, { from, name });
        else module.exports.set(local, { from, name, type });
      }
      continue;
    }
    const declared = code.match(
      /^(?:export )?(?:declare )?(?:abstract )?(?:interface|type|function|class|const) ([\w$]+)/,
    );
    // Overloads share a name.
    if (declared)
      module.declarations.set(
        declared[1]!,
        `${module.declarations.get(declared[1]!) ?? ""}${statement.trimEnd()}\n`,
      );
  }
  return module;
}

function print({ imports, exports, declarations }: Module, names: ReadonlySet<string>): string {
  const lines: string[] = [];
  for (const [local, { from, name }] of imports) {
    if (!names.has(local)) continue;
    const clause = name === "default" ? local : `{ ${rename(name, local)} }`;
    lines.push(`import type ${clause} from "${from}";\n`);
  }
  for (const [local, { from, name, type }] of exports)
    if (names.has(local))
      lines.push(`export ${type ? "type " : ""}{ ${rename(name, local)} } from "${from}";\n`);
  for (const [name, text] of declarations) if (names.has(name)) lines.push(text);
  return lines.join("");
}

const rename = (name: string, local: string) => (name === local ? name : `${name} as ${local}`);
const isLocal = (from: string) => from.startsWith(".");
const resolve = (file: string, from: string) => join(file, "..", from.replace(/\.ts$/, ".d.ts"));
