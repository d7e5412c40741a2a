import { copyFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { CrowdaiError, createSubmissionId, type PublicChallenge, type Submission } from "@crowdai/shared";
import { makeFolder } from "@crowdai/shared/make-folder";
import { after } from "../async/timer.ts";
import { chosenChallenge, type Settings } from "../config/settings.ts";
import { agentEnvironment } from "../environment/agent-environment.ts";
import { agentFolder } from "../environment/agent-folder.ts";
import { type AgentEnd, type AgentProcess, startAgent } from "../environment/agent-process.ts";
import { requireRemoteAgents } from "../environment/open-environment.ts";
import { cancelSession, settleSession } from "../environment/settle-session.ts";
import { checkRound } from "../submit/check-round.ts";
import { type FollowOptions, follow, type Progress, stillPending } from "../submit/follow.ts";
import { afterAcceptance, beforeAcceptance, requireGrade } from "../submit/grade.ts";
import type { Io } from "../terminal/io.ts";
import { slotsText } from "../terminal/slots-text.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { CommandContext } from "./handler.ts";
import { type CommandSession, openCommandSession } from "./submission/command-session.ts";
import { reportFailure, reportGrade } from "./submission/report-grade.ts";
import { createProgressView, type ProgressView } from "./submission/show-progress.ts";
import { SUBMISSION_FIELDS } from "./submission/submission-document.ts";

export interface RunFlags {
  challenge?: string;
  round?: string;
  message?: string;
  minScore?: number;
  timeout?: number;
  agentFiles?: string;
}

/** How long an agent may take to end after its session has failed. */
const AFTER_FAILURE_MS = 10_000;
/** How long the broker may be unreachable: as long as the agents wait for it. */
const LOST_AFTER_MS = 300_000;

/** Starts an agent that steps the environment of a challenge, shows how it plays, and prints its grade. */
export async function run(
  { io, connection, terminal, facts }: CommandContext,
  named: { command: string[] },
  flags: RunFlags,
): Promise<number> {
  if (flags.agentFiles !== undefined) return copyAgentFiles(terminal, resolve(io.cwd, flags.agentFiles));
  terminal.requireFields(SUBMISSION_FIELDS);
  const { settings } = connection;
  const command = commandOf(named.command, settings);
  const wanted = chosenChallenge(settings, flags.challenge);
  const id = createSubmissionId();
  const view = createProgressView(terminal);
  // The session outlives an interruption, to be cancelled.
  const ending = new AbortController();
  const stop = () => ending.abort(io.signal.reason);
  io.signal.addEventListener("abort", stop, { once: true });
  let opened: CommandSession | undefined;
  try {
    const key = await connection.key();
    view.say(`Opening a session with ${wanted}`);
    const lostAfterMs = LOST_AFTER_MS;
    opened = await openCommandSession(connection, { env: io.env, signal: ending.signal }, wanted, {
      lostAfterMs,
      onConnection: view.connection,
    });
    const { session } = opened;
    const challenge = opened.challenge!;
    facts.challenge = challenge;
    requireRemoteAgents(challenge);
    const round = checkRound(challenge, flags.round);
    const { limits } = session.opening;
    if (limits?.limit && (flags.round === undefined || round?.id === challenge.round))
      terminal.note(`Submissions left before this one: ${slotsText(limits)}`);
    const request = {
      id,
      challenge: challenge.id,
      round: flags.round ?? null,
      message: flags.message ?? null,
    };
    await session.createEnvironment(request).catch((failure) => {
      throw beforeAcceptance(failure, id);
    });
    io.signal.removeEventListener("abort", stop);
    terminal.about(id);
    terminal.accepted(id);
    terminal.note(`Submission ${id} accepted.`);

    const env = agentEnvironment(io.env, {
      broker: settings.broker,
      key,
      challenge: challenge.id,
      submission: id,
      agentFolder: await agentFolder(),
    });
    const print = terminal.print;
    const readsInput = io.stdin === process.stdin;
    const start = () => startAgent({ command, cwd: io.cwd, env, readsInput, print });
    const submission = await play({ io, view, opened, challenge, id, start, timeout: flags.timeout });
    view.stop();
    const http = await connection.http();
    const { signal } = io;
    const { minScore } = flags;
    const shown = { submission, minScore, isIdPrinted: true };
    return await reportGrade({ terminal, facts, http, signal, challenge, ...shown });
  } catch (failure) {
    view.stop();
    if (failure instanceof CrowdaiError) reportFailure(terminal, failure);
    throw failure;
  } finally {
    view.stop();
    io.signal.removeEventListener("abort", stop);
    opened?.session.close();
  }
}

/** Copies the files that connect an agent, for programs that are started in another way. */
async function copyAgentFiles(terminal: Terminal, folder: string): Promise<number> {
  const files = ["crowdai_agent.py", "crowdai-agent.js"].map((name) => join(folder, name));
  try {
    makeFolder(folder);
    const from = await agentFolder();
    for (const file of files) await copyFile(join(from, basename(file)), file);
  } catch (cause) {
    const { message } = cause as Error;
    throw new CrowdaiError("usage", `The files cannot be written: ${message}`, { cause });
  }
  terminal.present({
    json: { files },
    ndjson: files.map((file) => ({ type: "file", file })),
    quiet: files,
    text: () => {
      for (const file of files) terminal.answer(file);
    },
  });
  return 0;
}

function commandOf(named: readonly string[], { project }: Pick<Settings, "project">): readonly string[] {
  if (named.length > 0) return named;
  const code = project?.config.code;
  if (typeof code === "object" && code.command) return code.command;
  throw new CrowdaiError("usage", "There is no agent to run.", {
    next: "Name its command: `crowdai run python3 agent.py`.",
  });
}

interface Playing {
  io: Io;
  view: ProgressView;
  opened: CommandSession;
  challenge: PublicChallenge;
  id: string;
  start: () => Promise<AgentProcess>;
  /** Seconds for agent and grade together. */
  timeout: number | undefined;
}

/**
 * Runs the agent until both it and its session have ended. Throws the session's error, or how the agent left
 * it.
 */
async function play({ io, view, opened, id, start, timeout }: Playing): Promise<Submission> {
  const { session } = opened;
  const seen = createWatcher(view);
  const feed = session.watch(id);
  const ended = follow(feed, { ...seen.options, onPlace: view.place });
  const outcome = ended.then(requireGrade);
  // Both are awaited below.
  outcome.catch(() => {});

  const agent = await start().catch(async (failure) => {
    await cancelSession(session, id);
    throw failure;
  });
  let hasExited = false;
  let isLate = false;
  const late = after((timeout ?? Number.POSITIVE_INFINITY) * 1000, () => {
    isLate = true;
    if (hasExited) feed.stop(stillPending(id, timeout! * 1000, null));
    else agent.stop("SIGTERM");
  });
  const interrupt = () => agent.stop(signalFor(io));
  if (io.signal.aborted) interrupt();
  io.signal.addEventListener("abort", interrupt, { once: true });
  try {
    const first = await Promise.race([agent.ended, outcome.catch((failure: unknown) => ({ failure }))]);
    hasExited = isEnd(first);
    if (!isEnd(first)) {
      // It learns that its session has failed from its next request.
      const hasFailed =
        "failure" in first && first.failure instanceof CrowdaiError && first.failure.row.exit === 6;
      const impatient = hasFailed ? setTimeout(() => agent.stop("SIGTERM"), AFTER_FAILURE_MS) : undefined;
      view.say(`The session has ended. Waiting for the agent to exit`);
      const end = await agent.ended;
      clearTimeout(impatient);
      const submission = await outcome;
      warnOf(end, view);
      return submission;
    }
    if (io.signal.aborted) throw await interrupted(session, id);
    const cancelled = isLate ? await cancelSession(session, id) : null;
    if (cancelled?.state === "cancelled") throw stoppedLate(timeout!, seen.last(), id, cancelled);
    const settled = await settleSession(session, id, {
      ended,
      hasPlayed: () => seen.hasPlayed(),
      signal: io.signal,
    });
    if (settled === "left") throw leftEarly(first, seen.last(), id, await cancelSession(session, id));
    const submission = requireGrade(settled);
    warnOf(first, view);
    return submission;
  } catch (failure) {
    throw io.signal.aborted ? await interrupted(session, id) : afterAcceptance(failure, id);
  } finally {
    clearTimeout(late);
    io.signal.removeEventListener("abort", interrupt);
    feed.stop();
  }
}

const isEnd = (one: AgentEnd | Submission | { failure: unknown }): one is AgentEnd => "signal" in one;

/** Notes what the session reports, besides showing it. */
function createWatcher(view: ProgressView) {
  let played: string | null = null;
  let hasPlayed = false;
  const onProgress = (progress: Progress) => {
    if (progress.stage === "grading" && progress.step === "play") {
      hasPlayed = true;
      played = progress.message ?? played;
    }
    view.progress(progress);
  };
  const options: FollowOptions = { onProgress, onEvent: view.event };
  return { options, hasPlayed: () => hasPlayed, last: () => played };
}

/** Ctrl+C at a terminal reaches the agent without our help. */
function signalFor({ stdin, signal }: Io): NodeJS.Signals | null {
  const name = signal.reason === "SIGTERM" ? "SIGTERM" : "SIGINT";
  return name === "SIGINT" && stdin.isTTY ? null : name;
}

function endText({ code, signal }: AgentEnd): string {
  return signal ? `was ended by ${signal}` : `exited with code ${code}`;
}

function warnOf(end: AgentEnd, view: ProgressView): void {
  if (end.code !== 0) view.warn(`The agent ${endText(end)} after its last episode. The grade counts.`);
}

function leftEarly(
  end: AgentEnd,
  played: string | null,
  id: string,
  cancelled: Submission | null,
): CrowdaiError {
  const when = played
    ? `before it had played to the end (${played.charAt(0).toLowerCase()}${played.slice(1)})`
    : "without a reset of the environment";
  const slot = cancelled?.slot === "charged" ? "The slot was charged." : "It uses no slot.";
  const { code, signal } = end;
  return new CrowdaiError(
    "agent_protocol",
    `The agent ${endText(end)} ${when}. ${cancelled ? `Submission ${id} was cancelled. ${slot}` : ""}`.trim(),
    {
      next: played
        ? "Play until reset() returns nothing, then call submit()."
        : "In Python: `from crowdai_agent import connect`. In JavaScript: `await challenge.environment()`.",
      details: { submission: cancelled ?? id, agent: { exit_code: code, signal } },
    },
  );
}

function stoppedLate(
  seconds: number,
  played: string | null,
  id: string,
  cancelled: Submission,
): CrowdaiError {
  const slot = cancelled.slot === "charged" ? "The slot was charged." : "It uses no slot.";
  const where = played ? ` (${played.charAt(0).toLowerCase()}${played.slice(1)})` : "";
  return new CrowdaiError(
    "still_pending",
    `The agent had not finished after ${seconds} s${where}, and was stopped. Submission ${id} was cancelled. ${slot}`,
    { next: "Run it again with a longer --timeout, or without one.", details: { submission: cancelled } },
  );
}

async function interrupted(session: CommandSession["session"], id: string): Promise<CrowdaiError> {
  const cancelled = await cancelSession(session, id);
  const slot = cancelled?.slot === "charged" ? "The slot was charged." : "It uses no slot.";
  return new CrowdaiError(
    "interrupted",
    cancelled
      ? `Interrupted. Submission ${id} was cancelled. ${slot}`
      : `Interrupted. Submission ${id} has ended.`,
    { next: `Run \`crowdai show ${id}\` to see its state.`, details: { submission: id } },
  );
}
