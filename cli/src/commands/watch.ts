import { CrowdaiError, challengeSchema, type Submission } from "@crowdai/shared";
import { readSubmission } from "../client/http/broker-queries.ts";
import { follow } from "../submit/follow.ts";
import { afterAcceptance, requireGraded } from "../submit/grade.ts";
import { sendAwaitedCodeOf } from "./code/send-awaited-code.ts";
import type { CommandContext } from "./handler.ts";
import { openCommandSession } from "./submission/command-session.ts";
import { reportFailure, reportGrade } from "./submission/report-grade.ts";
import { createProgressView } from "./submission/show-progress.ts";
import { withSlot } from "./submission/slot-of-failure.ts";
import { SUBMISSION_FIELDS } from "./submission/submission-document.ts";

export interface WatchFlags {
  timeout?: number;
  minScore?: number;
  notify?: boolean;
}

/**
 * Follows a submission from its first event until it is graded; works from any machine, any number of times.
 */
export async function watch(
  context: CommandContext,
  { id }: { id: string },
  flags: WatchFlags,
): Promise<number> {
  if (flags.notify) {
    const { notifyEnd } = await import("./notify/notify-end.ts");
    return notifyEnd(context, () => watch(context, { id }, { ...flags, notify: false }));
  }
  const { io, connection, terminal, facts } = context;
  const { signal } = io;
  const view = createProgressView(terminal);
  terminal.about(id);
  terminal.requireFields(SUBMISSION_FIELDS);
  await connection.key();
  view.say(`Watching ${id}`);
  const { session, route } = await openCommandSession(connection, io, undefined, {
    onConnection: view.connection,
  });
  const code = sendAwaitedCodeOf({ id, broker: route.broker, readKey: connection.key, io, terminal });
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
  } catch (thrown) {
    view.stop();
    const failure = isEnded(thrown) ? await withSlot(thrown, { http: connection.http, signal }) : thrown;
    if (failure instanceof CrowdaiError) reportFailure(terminal, failure);
    throw afterAcceptance(failure, id);
  } finally {
    view.stop();
    session.close();
    await code;
  }
  const http = await connection.http();
  const [challenge, { standing }] = await Promise.all([
    http.get(`/api/v1/challenges/${encodeURIComponent(submission.challenge)}`, challengeSchema),
    // It may have been graded long ago: the events have only the rank of that time.
    readSubmission(http, id, signal).catch(() => submission),
  ]);
  submission = { ...submission, standing };
  if (terminal.quiet && terminal.format === "text") terminal.answer(submission.id);
  const shown = { submission, minScore: flags.minScore, isIdPrinted: false };
  return reportGrade({ terminal, facts, http, signal, challenge, ...shown });
}

/** Whether the failure is that of the submission, rather than of the command. */
const isEnded = (failure: unknown) =>
  failure instanceof CrowdaiError && typeof failure.details?.submission === "object";
