import { CrowdaiError, createSubmissionId, type Submission, submissionSchema } from "@crowdai/shared";
import { follow } from "../submit/follow.ts";
import { afterAcceptance, requireGraded } from "../submit/grade.ts";
import type { CommandContext } from "./handler.ts";
import { openCommandSession } from "./submission/command-session.ts";
import { createProgressView } from "./submission/show-progress.ts";

/**
 * Has a grader step the log of a session again, and shows whether every observation and reward was the same.
 */
export async function replay(
  { io, connection, terminal }: CommandContext,
  args: { id: string },
  flags: { timeout?: number },
): Promise<number> {
  const view = createProgressView(terminal);
  await connection.key();
  const http = await connection.http();
  const original = await http.get(`/api/v1/submissions/${encodeURIComponent(args.id)}`, submissionSchema);
  if (original.environment === null)
    throw new CrowdaiError(
      "usage",
      `${original.id} is not a session with an environment, or nothing was played.`,
      {
        next: "`crowdai show` tells what a submission is.",
      },
    );
  const id = createSubmissionId();
  view.say(`Replaying ${original.id}`);
  const { session } = await openCommandSession(connection, io, original.challenge, {
    onConnection: view.connection,
  });
  let ended: Submission;
  try {
    const items = [{ id, data: { submission: original.id } }];
    await session.call({ challenge: original.challenge, function: "replay", items }, io.signal);
    terminal.about(id);
    const timeoutMs = flags.timeout === undefined ? undefined : flags.timeout * 1000;
    ended = await follow(session.watch(id, { signal: io.signal }), {
      timeoutMs,
      onProgress: view.progress,
      onEvent: view.event,
      onPlace: view.place,
    });
  } catch (failure) {
    throw afterAcceptance(failure, id);
  } finally {
    view.stop();
    session.close();
  }

  const difference = differenceOf(original, ended);
  const steps = ended.environment?.steps ?? original.environment.steps;
  const document = {
    id: original.id,
    replay: ended.id,
    same: difference === null,
    steps,
    score: original.score,
    replayed_score: ended.score,
    ...(difference ? { error: difference.toBody(), exit_code: difference.exitCode } : {}),
  };
  terminal.present({
    json: document,
    ndjson: [{ type: "replay", ...document }],
    quiet: [ended.id],
    text: () => {
      if (!difference)
        terminal.answer(`Every observation and reward of ${original.id} was the same (${stepsText(steps)}).`);
    },
  });
  if (difference) throw difference;
  return 0;
}

const stepsText = (steps: number) => (steps === 1 ? "1 step" : `${steps} steps`);

/** Returns how a replay differs, or null. Throws the error of one that did not come to an end. */
function differenceOf(original: Submission, ended: Submission): CrowdaiError | null {
  const details = { submission: ended.id };
  if (ended.error?.code === "env_not_repeatable")
    return new CrowdaiError("env_not_repeatable", ended.error.message, {
      next: "Show this to the organizer: the environment does not repeat an episode.",
      details,
    });
  // The log of a session that failed ends before its last episode does, and was the same until there.
  if (original.state !== "graded" && ended.error?.code === "agent_protocol") return null;
  const { score } = requireGraded(ended);
  if (original.score === null || score === original.score) return null;
  return new CrowdaiError(
    "env_not_repeatable",
    `Every observation was the same, but the score was ${original.score} and is now ${score}.`,
    { next: "Show this to the organizer.", details },
  );
}
