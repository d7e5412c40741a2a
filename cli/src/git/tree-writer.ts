import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { BytePath } from "./byte-path.ts";
import { type CleanGit, GitFailure } from "./clean-git.ts";

export type Mode = "100644" | "100755" | "120000";

/** Writes a tree as changes to an earlier one. Nothing is stored before `finish`. */
export interface TreeWriter {
  remove(path: BytePath): void;
  /** Adds a file with exactly these bytes: no filter, no conversion of line endings or encoding. */
  put(path: BytePath, mode: Mode, bytes: Buffer): void;
  /** Waits until git has read most of what was put. */
  drained(): Promise<void>;
  /** Stores the tree and returns its object id. */
  finish(): Promise<string>;
  abort(): void;
}

const FLUSH_BYTES = 256 * 1024;

/** Opens a writer on `git fast-import`, which puts all objects into one pack. */
export function openTreeWriter(git: CleanGit, base: string | null): TreeWriter {
  const ref = `refs/crowdai/runs/${randomUUID()}`;
  const args = ["-c", "pack.compression=1", "fast-import", "--quiet", "--done", "--depth=0"];
  const child = git.start(args);
  const stdin = child.stdin!;
  const errors: Buffer[] = [];
  child.stderr!.on("data", (chunk: Buffer) => errors.push(chunk));
  child.stdout!.resume();
  // If the process exits early, its exit code and stderr give the reason.
  stdin.on("error", () => {});
  const ended = new Promise<number | null>((resolve) => {
    child.on("close", (code) => resolve(code));
    child.on("error", () => resolve(null));
  });

  let parts: Buffer[] = [];
  let size = 0;
  let full = false;
  const flush = () => {
    if (parts.length > 0) full = !stdin.write(Buffer.concat(parts));
    parts = [];
    size = 0;
  };
  const write = (bytes: Buffer) => {
    parts.push(bytes);
    size += bytes.length;
    if (size >= FLUSH_BYTES) flush();
  };
  const command = (text: string) => write(Buffer.from(text, "latin1"));

  command(`commit ${ref}\ncommitter crowdai <> 0 +0000\ndata 0\n`);
  if (base) command(`M 040000 ${base} ""\n`);
  return {
    remove: (path) => command(`D ${quoted(path)}\n`),
    put(path, mode, bytes) {
      command(`M ${mode} inline ${quoted(path)}\ndata ${bytes.length}\n`);
      write(bytes);
      command("\n");
    },
    async drained() {
      if (!full) return;
      await Promise.race([once(stdin, "drain").catch(() => {}), ended]);
      full = false;
    },
    async finish() {
      command("\ndone\n");
      flush();
      stdin.end();
      const code = await ended;
      if (code !== 0) throw new GitFailure(args.slice(2), code, Buffer.concat(errors).toString());
      const tree = await git.line(["rev-parse", `${ref}^{tree}`]);
      await git.run(["update-ref", "-d", ref]);
      return tree;
    },
    abort() {
      stdin.destroy();
      child.kill("SIGKILL");
    },
  };
}

/** Quotes a path in C style, as git does. */
function quoted(path: BytePath): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped
  return `"${path.replace(/[\\"\x00-\x1f]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`)}"`;
}
