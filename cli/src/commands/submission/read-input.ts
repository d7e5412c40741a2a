import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { CrowdaiError, type PublicChallenge, parseJson } from "@crowdai/shared";
import { type FileFacts, inspectFile } from "../../client/upload/byte-source.ts";
import { fileError } from "../../client/upload/file-error.ts";
import { hasExtension, type InputDescription } from "../../submit/checks.ts";
import { describeValue } from "../../submit/submission-input.ts";

/** What the command line names: a file that was looked at, a JSON value that was parsed, or standard input, unread. */
export type NamedInput =
  | { from: "file"; facts: FileFacts }
  | { from: "json"; value: unknown }
  | { from: "stdin" };

/** What will be handed in, once it is known what the challenge takes. */
export type InputRead =
  | { offered: InputDescription; facts: FileFacts }
  | { offered: InputDescription & { text: string }; facts: null };

/** Looks at what was named, before anybody is asked. Throws usage, and what is wrong with the file or the text. */
export async function readNamedInput(named: {
  file?: string;
  json?: string;
  cwd: string;
}): Promise<NamedInput> {
  const { file, json, cwd } = named;
  if (file !== undefined && json !== undefined)
    throw new CrowdaiError("usage", "Both a file and --json were given; only one can be sent.");
  if (json !== undefined) return { from: "json", value: parseJson(json, "The value of --json") };
  if (file === undefined)
    throw new CrowdaiError("usage", "Nothing to send: name a file, - for standard input, or --json.");
  // As `crowdai submit "$FILE"` where FILE is not set; it would name the folder.
  if (file === "") throw new CrowdaiError("usage", "The file's name is empty.");
  if (file === "-") return { from: "stdin" };
  return { from: "file", facts: await inspectFile(resolve(cwd, file)) };
}

/** A file ending in .json is a file where the challenge takes such files, and a value where it takes only values. */
export async function interpretFile(facts: FileFacts, challenge: PublicChallenge): Promise<InputRead> {
  const { file, json } = challenge.accepts;
  const fitsAsFile = file !== null && hasExtension(facts.name, file.extensions);
  if (!fitsAsFile && json !== null && hasExtension(facts.name, [".json"]))
    return takeValue(facts, json.max_bytes);
  return { offered: { kind: "file", name: facts.name, size: facts.size }, facts };
}

/**
 * Standard input, kept in a file meanwhile. It is a value where the challenge takes only values. Where it takes files too,
 * a text that begins with { or [ is a value, unless files of its name are JSON.
 */
export async function interpretStdin(facts: FileFacts, challenge: PublicChallenge): Promise<InputRead> {
  const { file, json } = challenge.accepts;
  if (
    json !== null &&
    (file === null || (!hasExtension(facts.name, [".json"]) && (await beginsAsJson(facts))))
  )
    return takeValue(facts, json.max_bytes, "Standard input");
  return { offered: { kind: "file", name: facts.name, size: facts.size }, facts };
}

/** A file's JSON value. Throws value_not_json, value_too_large. */
export async function readValue(
  facts: FileFacts,
  maxBytes: number,
  what: string = facts.name,
): Promise<unknown> {
  // Layout may take room that the value itself does not, but not without end: it is read as a whole.
  if (facts.size > 4 * maxBytes + 1024)
    throw new CrowdaiError(
      "value_too_large",
      `${what} has ${facts.size} bytes; the value may have ${maxBytes}.`,
      {
        details: { size: facts.size, max_bytes: maxBytes },
      },
    );
  return parseJson(await readUtf8(facts, what), what);
}

async function takeValue(facts: FileFacts, maxBytes: number, what?: string): Promise<InputRead> {
  return { offered: describeValue(await readValue(facts, maxBytes, what)), facts: null };
}

async function readUtf8(facts: FileFacts, what: string): Promise<string> {
  const handle = await open(facts.path).catch((error) => {
    throw fileError(facts.path, error);
  });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await handle.readFile());
  } catch (cause) {
    if (cause instanceof TypeError)
      throw new CrowdaiError("value_not_json", `${what} is not JSON: it is no UTF-8 text.`, { cause });
    throw fileError(facts.path, cause);
  } finally {
    await handle.close();
  }
}

async function beginsAsJson(facts: FileFacts): Promise<boolean> {
  const handle = await open(facts.path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0);
    return /^\ufeff?\s*[{[]/.test(buffer.toString("utf8", 0, bytesRead));
  } finally {
    await handle.close();
  }
}
