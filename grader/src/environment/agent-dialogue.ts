import { once } from "node:events";
import type { Writable } from "node:stream";
import { MAX_STEP_BYTES } from "@crowdai/shared";
import { createLineReader } from "../base/line-reader.ts";
import { isBlank } from "../evaluators/protocol/events.ts";
import { RunFailure } from "../run/run-failure.ts";
import type { Dialogue } from "../run/run-in-box.ts";
import { agentLine, readAgentLine } from "./agent-line.ts";
import { createDeadline } from "./deadline.ts";
import type { Session } from "./session.ts";

/** Requests that an agent sent before the answers to earlier ones. */
const MAX_WAITING = 1000;
/** How long an agent may run when it has nothing more to do. */
const LINGER_MS = 5000;

export interface AgentDialogue extends Dialogue {
  /** Why the session ended before all episodes were finished: a RunFailure, or an error of this machine. */
  failure(): unknown;
}

/** Speaks with an agent through its stdin and stdout, a line of JSON for each request and each answer. */
export function createAgentDialogue(session: Session): AgentDialogue {
  const { referee } = session;
  let stdin: Writable | null = null;
  let stop = () => {};
  let over = false;
  let isGone = false;
  let failure: unknown = null;
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let answering: Promise<void> | null = null;

  const deadline = createDeadline(() => {
    if (referee.isDone()) stop();
    else fail(referee.late());
  });

  function fail(found: unknown): void {
    if (over) return;
    over = true;
    failure = found;
    waiting = [];
    deadline[Symbol.dispose]();
    stop();
  }

  function take(line: Buffer): void {
    if (over || isBlank(line)) return;
    if (answering === null) {
      deadline.set(Number.POSITIVE_INFINITY);
      answering = answerFrom(line);
      return;
    }
    waiting.push(line);
    waitingBytes += line.length;
    if (waiting.length > MAX_WAITING || waitingBytes > 2 * MAX_STEP_BYTES)
      fail(
        new RunFailure(
          "agent_protocol",
          `The agent sent ${waiting.length} requests without waiting for an answer (${referee.place()}).`,
        ),
      );
  }

  async function answerFrom(first: Buffer): Promise<void> {
    try {
      for (let line: Buffer | undefined = first; line !== undefined && !over; line = waiting.shift()) {
        if (line !== first) waitingBytes -= line.length;
        const reply = await session.answer(readAgentLine(line));
        if (!over) stdin!.write(agentLine(reply));
        reply.record?.();
        if (over) return;
        const found = referee.failure();
        if (found) return fail(found);
        if (session.submitted()) return leave();
        if (stdin!.writableNeedDrain && !isGone) await readAnswers();
      }
      if (!over) deadline.set(referee.isDone() ? referee.answeredAt() + LINGER_MS : referee.deadline());
    } catch (error) {
      fail(error);
    } finally {
      answering = null;
    }
  }

  /** Waits until the agent has read what it asked for. */
  async function readAnswers(): Promise<void> {
    deadline.set(referee.deadline());
    const waits = new AbortController();
    const { signal } = waits;
    await Promise.race(["drain", "close", "error"].map((event) => once(stdin!, event, { signal }))).catch(
      () => {},
    );
    waits.abort();
    deadline.set(Number.POSITIVE_INFINITY);
  }

  /** Lets the agent exit by itself. */
  function leave(): void {
    over = true;
    stdin!.end();
    deadline.set(performance.now() + LINGER_MS);
  }

  const reader = createLineReader(MAX_STEP_BYTES, take, () =>
    fail(
      new RunFailure(
        "agent_protocol",
        `The agent sent a line of more than ${MAX_STEP_BYTES} bytes (${referee.place()}).`,
      ),
    ),
  );

  return {
    begin(to, kill) {
      stdin = to;
      stop = kill;
      referee.restartClocks();
      deadline.set(referee.deadline());
    },
    onStdout: (chunk) => reader.push(chunk),
    async finish() {
      isGone = true;
      take(reader.rest());
      while (answering !== null) await answering;
      over = true;
      deadline[Symbol.dispose]();
    },
    failure: () => failure,
  };
}
