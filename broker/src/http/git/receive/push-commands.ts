import { CrowdaiError } from "@crowdai/shared";
import type { PacketReader } from "../../../background/git/pkt-line.ts";

/** What a push asks for. */
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

/** Reads the commands before the pack. Throws usage for what is not git's protocol, code_push_refused for what we never take. */
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
      throw new CrowdaiError("code_push_refused", "Shallow and signed pushes are not taken.");
    const [, before, after, ref] = COMMAND.exec(text) ?? [];
    if (!before || !after || !ref) throw new CrowdaiError("usage", "The push names no ref that git knows.");
    if (commands.length >= MAX_COMMANDS)
      throw new CrowdaiError("code_push_refused", `A push names at most ${MAX_COMMANDS} refs.`);
    commands.push({ before, after, ref });
  }
}

/** The submission and commit of the only push there is. Throws code_push_refused for any other. */
export function requireSnapshotPush(commands: readonly PushCommand[]): {
  submission: string;
  commit: string;
} {
  const [command, ...more] = commands;
  if (!command || more.length > 0)
    throw refused("One push brings the code of one submission, and nothing else.");
  const submission = INCOMING.exec(command.ref)?.[1];
  if (!submission)
    throw refused(
      `${shown(command.ref)} cannot be written: code is pushed to refs/incoming/<submission id>.`,
    );
  if (command.after === NOTHING) throw refused("Code that was handed in cannot be deleted.");
  return { submission, commit: command.after };
}

const refused = (message: string) => new CrowdaiError("code_push_refused", message);
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
const shown = (ref: string) => ref.replace(/[\x00-\x1f\x7f-\x9f]/g, "?").slice(0, 120);
