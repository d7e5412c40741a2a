import { resolve } from "node:path";
import type { Command, Option } from "commander";
import { readConfig } from "../base/config.ts";
import { openObjects } from "../startup/open-objects.ts";
import type { Manifest } from "./backup/manifest.ts";
import type { Io } from "./io.ts";

/** Adds `crowdai-broker backup` and `crowdai-broker restore`. */
export function addBackupCommands(program: Command, io: Io, dataOption: () => Option): void {
  const stopSignal = () => {
    const stopping = new AbortController();
    io.onSignal(() => stopping.abort());
    return stopping.signal;
  };

  program
    .command("backup <folder>")
    .description(
      "Copy the records, objects and signing key of a broker, which may be running, to a new folder.",
    )
    .addOption(dataOption())
    .action(async (to: string, { data }) => {
      const config = readConfig({ data }, io.env, io.cwd);
      const folder = resolve(io.cwd, to);
      // Loaded here: other commands need neither the drivers nor the stores.
      const { backUp } = await import("./backup/back-up.ts");
      const manifest = await backUp({
        config,
        openObjects: () => openObjects(config, () => ""),
        folder,
        now: new Date(),
        signal: stopSignal(),
        onProgress: (count) => io.stderr.write(`${count} objects\n`),
      });
      io.stdout.write(`${describe(manifest)}\n`);
      io.stderr.write(`Backed up to ${folder}. It holds keys and answers: keep it private.\n`);
    });

  program
    .command("restore <folder>")
    .description("Verify a backup, then restore it to an empty data folder, database and object store.")
    .addOption(dataOption())
    .action(async (from: string, { data }) => {
      const config = readConfig({ data }, io.env, io.cwd);
      const { restore } = await import("./backup/restore.ts");
      const manifest = await restore({
        config,
        openObjects: (dataFolder) => openObjects({ ...config, dataFolder }, () => ""),
        folder: resolve(io.cwd, from),
        signal: stopSignal(),
      });
      io.stdout.write(`${describe(manifest)}\n`);
      io.stderr.write(`Restored to ${config.dataFolder}.\n`);
    });
}

const describe = ({ created_at, version, records, objects }: Manifest) =>
  `${created_at}\tversion ${version}\t${records.dialect === "sqlite" ? "SQLite" : "PostgreSQL"}, ${records.size} bytes\t${objects.count} objects, ${objects.bytes} bytes`;
