import { relative, resolve } from "node:path";
import type { Command, Option } from "commander";
import type { Io } from "./io.ts";

interface Flags {
  into: string;
  id?: string;
  dryRun?: boolean;
  format: "text" | "json";
}

/** Adds `crowdai-broker challenge import`. */
export function addImportCommand(challenge: Command, io: Io, formatOption: () => Option): void {
  const say = (line: string) => void io.stdout.write(`${line}\n`);
  challenge
    .command("import <bundle>")
    .description(
      "Write a challenge folder from a bundle of EvalAI or Codabench, a folder or an archive, and list what it leaves out.",
    )
    .option("--into <dir>", "folder that contains the challenge folders", "challenges")
    .option("--id <id>", "id of the challenge, and name of its folder (default: made of the title)")
    .option("--dry-run", "report what would be written, and write nothing")
    .addOption(formatOption())
    .action(async (path: string, { into, id, dryRun = false, format }: Flags) => {
      // Loaded here: no other command reads YAML.
      const { importChallenge } = await import("./import-challenge/import-challenge.ts");
      const { folder, leftOut } = await importChallenge({
        bundle: resolve(io.cwd, path),
        into: resolve(io.cwd, into),
        ...{ id: id ?? null, dryRun },
      });
      const { config, dir } = folder;
      if (format === "json") {
        const imported = { id: config.id, folder: dir, written: !dryRun, left_out: leftOut };
        return say(JSON.stringify({ schema_version: 1, imported }));
      }
      const below = relative(io.cwd, dir);
      const place = below.startsWith("..") ? dir : below;
      const rounds = `${config.rounds.length} ${config.rounds.length === 1 ? "round" : "rounds"}`;
      say(
        `${config.id}: "${config.title}", ${rounds}, ${dryRun ? "would be written" : "written"} to ${place}`,
      );
      if (leftOut.length > 0) say("Not carried over:");
      for (const { what, reason } of leftOut) say(`  ${what}: ${reason}`);
      if (!dryRun)
        io.stderr.write(
          `Read ${place}/challenge.json, then try it with \`crowdai-broker challenge check ${place}\`.\n`,
        );
    });
}
