import { CrowdaiError, challengeSchema, type Submission } from "@crowdai/shared";
import type { Context } from "../context.ts";
import { follow } from "../submit/follow.ts";
import { afterAcceptance, requireGraded } from "../submit/grade.ts";
import { openCommandSession } from "./submission/command-session.ts";
import { reportFailure, reportGrade } from "./submission/report-grade.ts";
import { sendAwaitedCodeOf } from "./submission/send-awaited-code.ts";
import { createProgressView } from "./submission/show-progress.ts";

export interface WatchFlags {
  timeout?: number;
  minScore?: number;
}

/** Follows a submission, from its first event on, until it has its grade; from any machine, as often as wanted. */
export async function watch(context: Context, { id }: { id: string }, flags: WatchFlags): Promise<number> {
  const { terminal, signal } = context;
  const view = createProgressView(terminal);
  await context.key();
  view.say(`Watching ${id}`);
  const { session, route } = await openCommandSession(context);
  const code = sendAwaitedCodeOf(context, route.broker, id);
  let submission: Submission;
  try {
    const { timeout } = flags;
    const timeoutMs = timeout === undefined ? undefined : timeout * 1000;
    const feed = session.watch(id, { signal });
    submission = requireGraded(
      await follow(feed, {
        timeoutMs,
        onProgress: view.progress,
        onEvent: view.event,
        onPlace: view.place,
      }),
    );
  } catch (failure) {
    view.stop();
    if (failure instanceof CrowdaiError) reportFailure(context, failure);
    throw afterAcceptance(failure, id);
  } finally {
    view.stop();
    session.close();
    await code;
  }
  const http = await context.http();
  const challenge = await http.get(
    `/api/v1/challenges/${encodeURIComponent(submission.challenge)}`,
    challengeSchema,
  );
  if (terminal.quiet && terminal.format === "text") terminal.answer(submission.id);
  return reportGrade(context, { challenge, submission, minScore: flags.minScore });
}
