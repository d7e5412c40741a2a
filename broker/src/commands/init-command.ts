import { relative, resolve } from "node:path";
import { CrowdaiError, quoted } from "@crowdai/shared";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Io } from "./io.ts";

interface Flags {
  url?: string;
  format: "text" | "json";
}

/** Adds `crowdai-broker init`. */
export function addInitCommand(program: Command, io: Io): void {
  const say = (line: string) => void io.stdout.write(`${line}\n`);
  program
    .command("init [folder]")
    .description(
      "Write a folder for a broker: a challenge that works, settings, services and a proxy's settings. It changes no file that exists.",
    )
    .option("--url <url>", "address at which clients will reach the broker, for its files", publicUrl)
    .addOption(new Option("--format <format>", "output format").choices(["text", "json"]).default("text"))
    .action(async (given: string | undefined, { url, format }: Flags) => {
      // Loaded here: no other command needs these texts.
      const { writeSite } = await import("./init/write-site.ts");
      const { CONTENTS } = await import("./init/site-files.ts");
      const { FIRST_CHALLENGE } = await import("./init/first-challenge.ts");
      const folder = resolve(io.cwd, given ?? ".");
      // The files of systemd name the folder.
      if (/\p{Cc}/u.test(folder))
        throw new CrowdaiError("usage", `${quoted(folder)} has characters that a service file cannot name.`);
      const { written, kept } = await writeSite(folder, url ?? null);
      if (format === "json")
        return say(JSON.stringify({ schema_version: 1, init: { folder, written, kept } }));
      if (written.length > 0) say(`Written to ${folder}:`);
      for (const [path, purpose] of CONTENTS)
        if (written.some((file) => file.startsWith(path))) say(`  ${path.padEnd(22)}${purpose}`);
      if (kept.length > 0) say(`Kept as they are: ${kept.join(", ")}`);
      if (written.length === 0) return;
      const example = written.some((file) => file.startsWith("challenges/"));
      const run = "npx --yes @crowdai/broker";
      io.stderr.write(
        `\nStart it${example ? ", and submit to the challenge" : ""}:\n\n${[
          ...(folder === io.cwd ? [] : [`cd ${shellWord(shortPath(io.cwd, folder))}`]),
          ...(example ? [`${run} challenge check challenges/${FIRST_CHALLENGE}`] : []),
          `${run} start --with-grader`,
        ]
          .map((line) => `    ${line}\n`)
          .join("")}\nThen, in a second terminal, in the same folder:\n\n${[
          `export CROWDAI_API_KEY=$(${run} participant add ada)`,
          ...(example
            ? [
                `npx --yes crowdai submit challenges/${FIRST_CHALLENGE}/public/sample_submission.csv -c ${FIRST_CHALLENGE}`,
              ]
            : []),
        ]
          .map((line) => `    ${line}\n`)
          .join("")}\nTo make it public: https://github.com/crowdAI/crowdai/blob/HEAD/docs/production.md\n`,
      );
    });
}

function publicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== "https:" || url.username || url.password || url.port || url.search || url.hash)
    throw new InvalidArgumentError("Must be https://host or https://host/path.");
  if (!/^[\w.~/-]*$/.test(url.pathname))
    throw new InvalidArgumentError("Must have a path of letters, digits, - . _ ~ only.");
  return url.href.replace(/\/+$/, "");
}

function shortPath(from: string, to: string): string {
  const path = relative(from, to);
  return path.startsWith("..") ? to : path;
}

const shellWord = (text: string) =>
  /^[\w@%+=:,./-]+$/.test(text) && !text.startsWith("-") ? text : `'${text.replaceAll("'", `'\\''`)}'`;
