import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { CrowdaiError, type PublicChallenge, parseJson } from "@crowdai/shared";
import { type FileFacts, inspectFile } from "../../client/upload/byte-source.ts";
import { fileError } from "../../client/upload/file-error.ts";
import { hasExtension, type InputDescription } from "../../submit/check-input.ts";
import { describeText } from "../../submit/submission-input.ts";

/** The input that the command line names: an existing file, JSON text, or standard input, not yet read. */
export type NamedInput =
  | { from: "file"; facts: FileFacts }
  | { from: "json"; text: string }
  /** `isValue` for `--json -`: the text is a value, whatever else the challenge accepts. */
  | { from: "stdin"; isValue?: true };

/** The name of --json's value in messages. */
export const JSON_FLAG = "The value of --json";

/** The input to submit, as a file or a value, depending on what the challenge accepts. */
export type InputRead =
  | { offered: InputDescription; facts: FileFacts }
  | { offered: InputDescription & { text: string }; facts: null };

/**
 * Checks the named input without asking the broker. Throws usage, or a CrowdaiError for a wrong file or text.
 */
export async function readNamedInput(named: {
  file?: string;
  json?: string;
  cwd: string;
}): Promise<NamedInput> {
  const { file, json, cwd } = named;
  if (file !== undefined && json !== undefined)
    throw new CrowdaiError("usage", "Use either a file or --json, not both.");
  if (json === "-") return { from: "stdin", isValue: true };
  if (json !== undefined) {
    parseJson(json, JSON_FLAG);
    return { from: "json", text: json };
  }
  if (file === undefined) throw missingInput();
  // As from `crowdai submit "$FILE"` where FILE is not set; it would resolve to the folder.
  if (file === "") throw new CrowdaiError("usage", "The file name is empty.");
  if (file === "-") return { from: "stdin" };
  return { from: "file", facts: await inspectFile(resolve(cwd, file)) };
}

export function missingInput(next?: string): CrowdaiError {
  const message = "Missing input. Name a file, use - for standard input, or use --json.";
  return new CrowdaiError("usage", message, next === undefined ? {} : { next });
}

/**
 * Takes a .json file as a file if the challenge accepts such files, and as a value if it accepts only values.
 */
export async function interpretFile(facts: FileFacts, challenge: PublicChallenge): Promise<InputRead> {
  const { file, json } = challenge.accepts;
  const fitsAsFile = file !== null && hasExtension(facts.name, file.extensions);
  if (!fitsAsFile && json !== null && hasExtension(facts.name, [".json"]))
    return takeValue(facts, json.max_bytes);
  return { offered: { kind: "file", name: facts.name, size: facts.size }, facts };
}

/**
 * Takes standard input, spooled to a file, as a value if the challenge accepts only values. If it accepts
 * files too, a text that begins with { or [ is a value, unless the accepted files are JSON, or it is several
 * lines of JSON.
 */
export async function interpretStdin(
  facts: FileFacts,
  challenge: PublicChallenge,
  isValue = false,
): Promise<InputRead> {
  const { file, json } = challenge.accepts;
  if (isValue) return takeValue(facts, json?.max_bytes ?? facts.size, "Standard input");
  if (json !== null && file === null) return takeValue(facts, json.max_bytes, "Standard input");
  const kind = hasExtension(facts.name, [".json"]) ? "other" : await kindOfText(facts);
  if (json !== null && kind === "json") return takeValue(facts, json.max_bytes, "Standard input");
  const ofLines = file?.extensions.find((extension) => LINES.includes(extension.toLowerCase()));
  const name = kind === "json lines" && ofLines ? `stdin${ofLines}` : facts.name;
  return { offered: { kind: "file", name, size: facts.size }, facts: { ...facts, name } };
}

/**
 * Reads the JSON text of a value from a file. Throws value_not_json if it is not UTF-8, and value_too_large.
 */
export async function readJsonText(
  facts: FileFacts,
  maxBytes: number,
  what: string = facts.name,
): Promise<string> {
  // Whitespace may make the text longer than the value, within reason: the text is read as a whole.
  if (facts.size > 4 * maxBytes + 1024)
    throw new CrowdaiError(
      "value_too_large",
      `${what} is ${facts.size} bytes; a value may be at most ${maxBytes} bytes.`,
      {
        details: { size: facts.size, max_bytes: maxBytes },
      },
    );
  return readUtf8(facts, what);
}

async function takeValue(facts: FileFacts, maxBytes: number, what = facts.name): Promise<InputRead> {
  return { offered: describeText(await readJsonText(facts, maxBytes, what), what), facts: null };
}

async function readUtf8(facts: FileFacts, what: string): Promise<string> {
  const handle = await open(facts.path).catch((error) => {
    throw fileError(facts.path, error);
  });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await handle.readFile());
  } catch (cause) {
    if (cause instanceof TypeError)
      throw new CrowdaiError("value_not_json", `${what} is not JSON: it is not valid UTF-8.`, { cause });
    throw fileError(facts.path, cause);
  } finally {
    await handle.close();
  }
}

/** Extensions of files with a JSON value in each line. */
const LINES = [".jsonl", ".ndjson", ".jsonlines"];
/** How much is read to find the end of the first line. */
const MAX_LINE_BYTES = 1024 * 1024;

/** Returns whether a text seems to be one JSON value, or one in each of several lines. */
async function kindOfText(facts: FileFacts): Promise<"json" | "json lines" | "other"> {
  const handle = await open(facts.path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_LINE_BYTES), 0, MAX_LINE_BYTES, 0);
    const text = buffer.toString("utf8", 0, bytesRead).replace(/^\ufeff?\s*/, "");
    if (!/^[{[]/.test(text)) return "other";
    const end = text.indexOf("\n");
    const hasMore = end > 0 && text.slice(end).trim() !== "";
    return hasMore && isJson(text.slice(0, end)) ? "json lines" : "json";
  } finally {
    await handle.close();
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Names an input within a sentence. */
export function inputText({ file }: { file?: string }): string {
  if (file === undefined) return "a JSON value";
  return file === "-" ? "standard input" : file;
}
