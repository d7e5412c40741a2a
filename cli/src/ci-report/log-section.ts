import { randomBytes } from "node:crypto";
import type { Writable } from "node:stream";
import type { Terminal } from "../terminal/terminal.ts";

/**
 * Puts what a command prints before its answer, its first warning or its error into a collapsed section of
 * GitLab's log, so that the log shows the outcome first.
 */
export function collapseProgress(terminal: Terminal, stderr: Writable, title: string): void {
  if (terminal.quiet || terminal.format === "ndjson") return;
  const name = `crowdai_${randomBytes(4).toString("hex")}`;
  const write = (what: "start" | "end", rest = "") => {
    const now = Math.floor(Date.now() / 1000);
    const options = what === "start" ? "[collapsed=true]" : "";
    stderr.write(`section_${what}:${now}:${name}${options}\r\u001b[0K${rest}\n`);
  };
  write("start", title);
  let isOpen = true;
  const end = () => {
    if (isOpen) write("end");
    isOpen = false;
  };
  const closing = <A extends unknown[]>(print: (...args: A) => void) => {
    return (...args: A) => {
      end();
      print(...args);
    };
  };
  const { present, json, warn, error, close } = terminal;
  Object.assign(terminal, {
    ...{ present: closing(present), json: closing(json) },
    ...{ warn: closing(warn), error: closing(error), close: closing(close) },
  });
}
