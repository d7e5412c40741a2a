import { isUtf8 } from "node:buffer";
import { MAX_STEP_BYTES, parseLenientJson, type Space, spaceSchema } from "@crowdai/shared";
import { excerpt } from "../evaluators/protocol/evaluator-failure.ts";
import { type Line, readLine } from "../evaluators/protocol/events.ts";
import { RunFailure } from "../run/run-failure.ts";
import { notFinite } from "./check-action.ts";
import { readImage } from "./matroska.ts";
import type { Observed, Outcome } from "./referee.ts";

export interface Spaces {
  action: Space;
  observation: Space;
}

type Fields = Record<string, unknown>;

const DEFAULT_FRAME_RATE = 30;
/** Spaces have bounds for each number, which can be many. */
const MAX_SPACES_BYTES = 10 * MAX_STEP_BYTES;

/** Parses a line of the environment. Throws env_output. */
export function readMessage(bytes: Buffer, id: string, asked: string | null): Fields {
  const most = asked === "open" ? MAX_SPACES_BYTES : MAX_STEP_BYTES;
  if (bytes.length > most)
    throw invalid("a message that is too long", `a line of ${bytes.length} bytes: at most ${most}`);
  if (!isUtf8(bytes)) throw invalid("a line that is not JSON", `not UTF-8: ${excerpt(bytes)}`);
  const fields = parse(bytes);
  if (typeof fields !== "object" || fields === null || typeof fields.type !== "string")
    throw invalid("an invalid message", `not an object with a type: ${excerpt(bytes)}`);
  if (fields.id !== id) throw invalid("a message with another id", `not the id ${id}: ${excerpt(bytes)}`);
  return fields;
}

/** Parses a line that comes after close: an event, as of other evaluators. */
export function readEventLine(bytes: Buffer, id: string): Line {
  const line = readLine(bytes);
  if ("kind" in line) throw invalid("a line that is not an event", line.detail);
  if (line.id !== id) throw invalid("a message with another id", `not the id ${id}: ${excerpt(bytes)}`);
  return line;
}

function parse(bytes: Buffer): Fields | null {
  const text = bytes.toString("utf8");
  try {
    return JSON.parse(text) as Fields | null;
  } catch (error) {
    // Python writes NaN and Infinity literally.
    const [first] = notFiniteIn(text);
    throw first === undefined
      ? invalid("a line that is not JSON", `${(error as Error).message}: ${excerpt(bytes)}`)
      : notANumber(first);
  }
}

function notFiniteIn(text: string): readonly string[] {
  try {
    return parseLenientJson(text, "The line").notFinite;
  } catch {
    return [];
  }
}

export function readSpaces(fields: Fields): Spaces {
  const read = (name: "action" | "observation"): Space => {
    const parsed = spaceSchema.safeParse(fields[name]);
    if (parsed.success) return parsed.data;
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${[name, ...path].join(".")}: ${message}`,
    );
    throw invalid("invalid spaces", problems.join("; "));
  };
  return { action: read("action"), observation: read("observation") };
}

export function readObservation(fields: Fields): Observed {
  const { observation, info = {} } = fields;
  if (observation === undefined) throw invalid("a message without an observation");
  const at = notFinite(observation);
  if (at !== null) throw notANumber(`observation${at}`);
  if (typeof info !== "object" || info === null || Array.isArray(info))
    throw invalid("an invalid message", "info is not an object");
  const read = { observation, text: JSON.stringify(observation), info: info as Record<string, unknown> };
  return fields.frame === undefined || fields.frame === null
    ? read
    : { ...read, frame: readFrame(fields.frame) };
}

function readFrame(frame: unknown): Buffer {
  const data = typeof frame === "string" ? Buffer.from(frame, "base64") : null;
  if (data === null || readImage(data) === null)
    throw invalid("an invalid frame", "frame is not a PNG or JPEG image in Base64");
  return data;
}

/** How many frames a second the video has, as an environment says when it opens. */
export function readFrameRate({ frame_rate }: Fields): number {
  if (frame_rate === undefined || frame_rate === null) return DEFAULT_FRAME_RATE;
  if (typeof frame_rate === "number" && frame_rate >= 1 && frame_rate <= 120) return frame_rate;
  throw invalid("an invalid frame_rate", "frame_rate is not a number from 1 to 120");
}

export function readStep(fields: Fields): Outcome {
  const { reward, terminated, truncated = false } = fields;
  if (typeof reward !== "number") throw invalid("an invalid reward", `reward is ${JSON.stringify(reward)}`);
  if (!Number.isFinite(reward)) throw notANumber("reward");
  if (typeof terminated !== "boolean" || typeof truncated !== "boolean")
    throw invalid("an invalid message", "terminated and truncated must be true or false");
  return { ...readObservation(fields), reward, terminated, truncated };
}

const notANumber = (name: string) =>
  invalid("NaN or Infinity", `${name} is NaN or Infinity, or too large for a number`);

/** `what` is for the participant, `detail` for the organizer alone. */
export function invalid(what: string, detail = what): RunFailure {
  return new RunFailure("env_output", what, detail);
}
