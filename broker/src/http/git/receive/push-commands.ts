import { CrowdaiError } from "@crowdai/shared";
import type { PacketReader } from "../../../background/git/pkt-line.ts";

/** A ref update of a push. */
export interface PushCommand {
  before: string;
  after: string;
  ref: string;
}

export interface PushRequest {
  commands: PushCommand[];
  capabilities: ReadonlySet<string>;
}

const MAX_COMMANDS = 1000;
const COMMAND = /^([0-9a-f]{40}) ([0-9a-f]{40}) (refs\/[^\0\n]{1,1000})$/;
const INCOMING = /^refs\/incoming\/([A-Za-z0-9][A-Za-z0-9_-]{7,63})$/;
const NOTHING = "0".repeat(40);

/**
 * Reads the commands before the pack. Throws usage for a protocol error, code_push_refused for unsupported
 * pushes.
 */
export async function readCommands(reader: PacketReader): Promise<PushRequest> {
  const commands: PushCommand[] = [];
  let capabilities = new Set<string>();
  for (;;) {
    const bytes = await reader.line();
    if (bytes === null) return { commands, capabilities };
    const [text = "", given] = bytes.toString("utf8").replace(/\n$/, "").split("\0");
    if (commands.length === 0 && given !== undefined)
      capabilities = new Set(given.split(" ").filter(Boolean));
    if (/^(shallow|push-cert)/.test(text))
      throw new CrowdaiError("code_push_refused", "The broker does not accept shallow or signed pushes.");
    const [, before, after, ref] = COMMAND.exec(text) ?? [];
    if (!before || !after || !ref) throw new CrowdaiError("usage", "The push contains an invalid ref.");
    if (commands.length >= MAX_COMMANDS)
      throw new CrowdaiError("code_push_refused", `A push may name at most ${MAX_COMMANDS} refs.`);
    commands.push({ before, after, ref });
  }
}

/** Returns the submission and commit of a push. Throws code_push_refused unless it pushes one snapshot. */
export function requireSnapshotPush(commands: readonly PushCommand[]): {
  submission: string;
  commit: string;
} {
  const [command, ...more] = commands;
  if (!command || more.length > 0)
    throw refused("Push the code of one submission at a time, and nothing else.");
  const submission = INCOMING.exec(command.ref)?.[1];
  if (!submission)
    throw refused(`Cannot write ${shown(command.ref)}. Push code to refs/incoming/<submission id>.`);
  if (command.after === NOTHING) throw refused("Submitted code cannot be deleted.");
  return { submission, commit: command.after };
}

const refused = (message: string) => new CrowdaiError("code_push_refused", message);
// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression replaces them
const shown = (ref: string) => ref.replace(/[\x00-\x1f\x7f-\x9f]/g, "?").slice(0, 120);
