import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes into `folder` what an executable is compiled from: the built client, and an entry with the files
 * inside that the client otherwise reads from its package. Returns the entries.
 */
export function writeExecutableSources(dist: string, folder: string): string[] {
  for (const name of readdirSync(dist).filter((name) => name.endsWith(".js")))
    copyFileSync(join(dist, name), join(folder, name));
  writeFileSync(join(folder, "help.json"), JSON.stringify(texts(join(dist, "help"), ".txt")));
  writeFileSync(join(folder, "agent.json"), JSON.stringify(texts(join(dist, "agent"))));
  writeFileSync(join(folder, "crowdai.js"), ENTRY);
  return [join(folder, "crowdai.js"), join(folder, "part-digests.worker.js")];
}

/** The contents of the files of a folder by their names, without `ending`. */
function texts(folder: string, ending = ""): Record<string, string> {
  const names = readdirSync(folder).filter((name) => name.endsWith(ending) && !name.startsWith("."));
  return Object.fromEntries(
    names.map((name) => [
      name.slice(0, name.length - ending.length),
      readFileSync(join(folder, name), "utf8"),
    ]),
  );
}

/**
 * As cli/bin/crowdai.js: the texts of `--help` and `--version` are ready. cli/src/config/embedded-files.ts
 * reads the rest.
 */
const ENTRY = `
import { writeSync } from "node:fs";
import pages from "./help.json" with { type: "json" };

const args = process.argv.slice(2);
const [name, flag] = args.length === 2 ? args : ["crowdai", args.length === 0 ? "--help" : args[0]];
const page = flag === "--version" ? flag : flag === "--help" || flag === "-h" ? name : "";
if (args.length <= 2 && Object.hasOwn(pages, page)) print(Buffer.from(pages[page]));
else {
  globalThis[Symbol.for("crowdai.embedded-files")] = async () => (await import("./agent.json", { with: { type: "json" } })).default;
  await import("./bin.js");
}

function print(text) {
  let done = 0;
  try {
    while (done < text.length) done += writeSync(1, text, done);
  } catch (error) {
    if (error.code === "EAGAIN") process.stdout.write(text.subarray(done));
    else if (error.code !== "EPIPE") {
      console.error("error[file_unwritable]: Standard output cannot be written (" + error.code + ").");
      process.exitCode = 2;
    }
  }
}
`;
