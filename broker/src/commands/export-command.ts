import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { readConfig } from "../base/config.ts";
import { openCatalog } from "../domain/challenges/catalog.ts";
import { openRecords } from "../records/open.ts";
import { openObjects } from "../startup/open-objects.ts";
import type { ExportOptions } from "./export-challenge/export-challenge.ts";
import { FORMATS } from "./export-challenge/table.ts";
import type { Io } from "./io.ts";
import { requireServedChallenge } from "./temporary-broker.ts";

interface Flags extends Pick<ExportOptions, "format"> {
  data: string;
  challenges: string;
  output?: string;
  files?: boolean;
}

/** Adds `crowdai-broker challenge export`. */
export function addExportCommand(challenge: Command, io: Io, dataOption: () => Option): void {
  challenge
    .command("export <id>")
    .description(
      "Write the submissions to a challenge with their grades, attempts and log, its participants, versions and board to a folder.",
    )
    .addOption(dataOption())
    .option("--challenges <dir>", "folder that contains the challenge folders", "challenges")
    .addOption(new Option("--format <format>", "format of the tables").choices(FORMATS).default("csv"))
    .option("--output <dir>", "new folder to write (default: <id>-export)")
    .option("--files", "also write the submitted files, code, models and artifacts")
    .action(async (id: string, { data, challenges, format, output, files = false }: Flags) => {
      const config = readConfig({ data, challenges }, io.env, io.cwd);
      const records = await openRecords(config);
      try {
        await requireServedChallenge(records, config, id, false);
        const catalog = await openCatalog(config.challengesFolder, records);
        const opened = files ? await openObjects(config, () => "") : null;
        const stopping = new AbortController();
        io.onSignal(() => stopping.abort());
        try {
          // Loaded here: other commands export nothing.
          const { exportChallenge } = await import("./export-challenge/export-challenge.ts");
          const folder = resolve(io.cwd, output ?? `${id}-export`);
          const { tables } = await exportChallenge({
            records,
            challenge: id,
            config: catalog.all().get(id)?.config ?? null,
            format,
            output: folder,
            objects: opened?.objects ?? null,
            now: new Date(),
            signal: stopping.signal,
          });
          for (const [file, rows] of Object.entries(tables)) io.stdout.write(`${file}\t${rows}\n`);
          io.stderr.write(`Exported ${id} to ${folder}.\n`);
        } finally {
          await opened?.objects.close();
        }
      } finally {
        await records.close();
      }
    });
}
