import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline, type Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { createGunzip, createGzip, type Gzip } from "node:zlib";
import type { PlayedEntry } from "@crowdai/shared/step-channel";
import { createLineReader } from "../base/line-reader.ts";

export const STEP_LOG = "steps.ndjson.gz";

/** The times of an entry, in milliseconds. */
export interface EntryTimes {
  agentMs: number;
  environmentMs: number;
}

/** Writes what happens in a session to a file: one line for the session, and one for each reset and step. */
export interface StepLog {
  reset(episode: number, seedDigest: string, digest: string, times: EntryTimes): void;
  /** `action` is JSON text. */
  step(entry: LoggedStep, times: EntryTimes): void;
  /** Whether the disk is slower than the session: wait for `drained` then. */
  isFull(): boolean;
  drained(): Promise<void>;
  /** Reads the entries that were written so far. More can be written afterwards. */
  entries(): AsyncGenerator<PlayedEntry>;
  /** Writes what is left, and closes the file. */
  close(): Promise<void>;
}

export interface LoggedStep {
  episode: number;
  n: number;
  action: string;
  /** Null where it is not shown. */
  reward: number | null;
  terminated: boolean;
  truncated: boolean;
  digest: string;
}

const CHUNK = 64 * 1024;

export function createStepLog(path: string, header: object): StepLog {
  let text = `${JSON.stringify(header)}\n`;
  let gzip: Gzip | null = null;
  let failure: unknown = null;

  /** Compressed files can be joined: each opening adds one. */
  function open(): Gzip {
    const opened = createGzip({ level: 3 });
    const file = createWriteStream(path, { flags: "a", mode: 0o600 });
    for (const stream of [opened, file])
      stream.on("error", (error) => {
        failure ??= error;
        opened.destroy();
      });
    opened.pipe(file);
    ended = finished(file);
    ended.catch(() => {});
    return opened;
  }
  let ended: Promise<void> = Promise.resolve();

  function write(line: string): void {
    text += line;
    if (text.length < CHUNK) return;
    gzip ??= open();
    gzip.write(text);
    text = "";
  }

  async function flush(): Promise<void> {
    gzip ??= open();
    gzip.end(text);
    text = "";
    gzip = null;
    await ended;
    if (failure !== null) throw failure;
  }

  return {
    reset(episode, seedDigest, digest, times) {
      write(
        `{"type":"reset","episode":${episode},"seed_digest":"${seedDigest}","observation_sha256":"${digest}",${timesText(times)}}\n`,
      );
    },
    step({ episode, n, action, reward, terminated, truncated, digest }, times) {
      write(
        `{"type":"step","episode":${episode},"n":${n},"action":${action},"reward":${reward},"terminated":${terminated},` +
          `"truncated":${truncated},"observation_sha256":"${digest}",${timesText(times)}}\n`,
      );
    },
    isFull() {
      if (failure !== null) throw failure;
      return gzip?.writableNeedDrain ?? false;
    },
    async drained() {
      if (gzip?.writableNeedDrain) await once(gzip, "drain");
    },
    async *entries() {
      await flush();
      yield* readStepLog(createReadStream(path));
    },
    close: flush,
  };
}

const timesText = ({ agentMs, environmentMs }: EntryTimes) =>
  `"agent_ms":${thousandths(agentMs)},"env_ms":${thousandths(environmentMs)}`;
const thousandths = (ms: number) => Math.round(ms * 1000) / 1000;

/** Yields the entries of a step log. Throws when it is not one. */
export async function* readStepLog(source: Readable): AsyncGenerator<PlayedEntry> {
  let lines: Buffer[] = [];
  const reader = createLineReader(
    MAX_LINE,
    (line) => void lines.push(line),
    () => {
      throw new Error(`the step log has a line of more than ${MAX_LINE} bytes`);
    },
  );
  // An error of the source also ends the reading below, whose end closes the source.
  const gunzip = pipeline(source, createGunzip(), () => {});
  let isFirst = true;
  for await (const chunk of gunzip) {
    reader.push(chunk as Buffer);
    const complete = lines;
    lines = [];
    for (const line of complete) {
      if (isFirst) isFirst = false;
      else yield entryOf(JSON.parse(line.toString("utf8")));
    }
  }
}

const MAX_LINE = 2_000_000;

// biome-ignore lint/suspicious/noExplicitAny: the grader wrote the line
function entryOf(line: any): PlayedEntry {
  const { type, episode, n, action, reward, terminated, truncated, observation_sha256: digest } = line;
  return type === "reset"
    ? { type, episode, digest }
    : { type, episode, n, action, reward, digest, over: terminated || truncated };
}
