import { sizeText } from "../../terminal/size.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { DownloadedFile } from "./download-files.ts";

const STATUS = { kept: "already there", downloaded: "downloaded" } as const;

/** Prints the files of a download; a pipe gets sizes in bytes and the status as in JSON. */
export function filesTable(terminal: Terminal, files: readonly DownloadedFile[]): void {
  terminal.table(
    ["File", "Size", "Status"],
    files.map(({ path, size, status }) =>
      terminal.isForEyes ? [path, sizeText(size), STATUS[status]] : [path, size, status],
    ),
  );
}
