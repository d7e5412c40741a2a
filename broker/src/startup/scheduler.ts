import type { CodeServices } from "../background/code-services.ts";
import type { MediaMaker } from "../background/media/media-maker.ts";
import { sweepPublishing } from "../background/published-code/sweep-publishing.ts";
import { finalizeCode } from "../background/repositories/finalize-code.ts";
import { mirrorRepositories } from "../background/repositories/mirror-repositories.ts";
import { sweepChallenges } from "../background/webhooks/sweep-challenges.ts";
import type { WebhookSender } from "../background/webhooks/webhook-sender.ts";
import type { AttachedGraders } from "../domain/graders/attached-graders.ts";
import { advanceWindows } from "../domain/leaderboard/ranking-window.ts";
import { revealFinals } from "../domain/leaderboard/reveal-finals.ts";
import { removeOldPictures } from "../domain/profiles/remove-old-pictures.ts";
import { sweepRegrades } from "../domain/regrade/sweep-regrades.ts";
import { createGraderReporter } from "../domain/status/reported-graders.ts";
import { abandonUploads } from "../domain/submissions/announced-parts.ts";
import type { Dispatcher } from "../domain/submissions/dispatcher.ts";
import { removeEndedUploads } from "../domain/submissions/ended-uploads.ts";
import type { SubmissionServices } from "../domain/submissions/services.ts";
import { sweepAwaitedCode } from "../domain/submissions/sweep-awaited-code.ts";
import { sweepDeadlines } from "../domain/submissions/sweep-deadlines.ts";
import { assignNumbers } from "../http/webapp-api/challenge-numbers.ts";
import { type Heartbeats, STALLED_AFTER_MS } from "./heartbeats.ts";
import type { QueueWatch } from "./queue-watch.ts";
import type { ShutdownSteps } from "./shutdown-steps.ts";

/** How often a broker runs each scheduled job, in milliseconds. */
export const INTERVALS = {
  deadlines: 5000,
  clock: 10_000,
  challenges: 2000,
  dispatch: 1000,
  graders: 1000,
  queueWatch: 5000,
  regrades: 1000,
  webapp: 1000,
  webhooks: 1000,
  webhookSweep: 5000,
  graderReport: 5000,
  windows: 1000,
  finals: 1000,
  uploads: 600_000,
  media: 300,
  pictures: 5000,
  commits: 500,
  codeHost: 2000,
  publishing: 1000,
};
export type Intervals = typeof INTERVALS;

/** Starts the jobs that a broker repeats. Every state that is not final has its owner among them. */
export function startScheduler(options: {
  context: SubmissionServices;
  graders: AttachedGraders;
  code: CodeServices;
  media: Pick<MediaMaker, "soon">;
  webhooks: WebhookSender & { record(): Promise<void> };
  queueWatch: Pick<QueueWatch, "check">;
  measureClock: () => Promise<void>;
  legacy: { sweep(): Promise<unknown> } | null;
  dispatcher: Pick<Dispatcher, "soon">;
  heartbeats: Heartbeats;
  shutdownSteps: ShutdownSteps;
  /** Overrides of INTERVALS. */
  intervals?: Partial<Intervals> | undefined;
}): void {
  const { context, graders, code, media, queueWatch, legacy, dispatcher, heartbeats, shutdownSteps } =
    options;
  const { webhooks } = options;
  const { catalog, webapp, log } = context;
  const intervals = { ...INTERVALS, ...options.intervals };

  every(intervals.deadlines, "deadlines", async () => {
    // First: a submission that waited for its code then fails for that reason.
    await sweepAwaitedCode(context);
    await sweepDeadlines(context);
  });
  every(intervals.clock, "clock", options.measureClock);
  every(intervals.commits, "commits", () => finalizeCode(code));
  every(intervals.publishing, "publishing", () => sweepPublishing(code));
  if (code.host.outside) every(intervals.codeHost, "code host", () => mirrorRepositories(code));
  every(intervals.regrades, "regrades", () => sweepRegrades(context));
  every(intervals.media, "media", async () => media.soon());
  every(intervals.pictures, "old pictures", () => removeOldPictures(context));
  every(intervals.queueWatch, "queue watch", () => queueWatch.check());
  every(intervals.graders, "graders", () => graders.poll());
  const reportGraders = createGraderReporter(context.records.db, graders, context.clock);
  every(intervals.graderReport, "grader report", reportGraders);
  every(intervals.webapp, "webapp", () => webapp.deliver());
  // Closed first: a webapp that hangs must not delay the shutdown.
  shutdownSteps.add("calls to the webapp", () => webapp.close());
  every(intervals.webhooks, "webhooks", async () => {
    await webhooks.record();
    await webhooks.send();
  });
  every(intervals.webhookSweep, "webhooks of challenges", () => sweepChallenges(context));
  every(intervals.uploads, "old webhook messages", () => webhooks.tidy());
  shutdownSteps.add("calls to webhooks", () => webhooks.close());
  every(intervals.dispatch, "dispatch", async () => dispatcher.soon());
  every(intervals.challenges, "challenges", async () => {
    const { changed, mistakes, shadowed } = await catalog.refresh();
    if (changed.length > 0) await assignNumbers(context);
    for (const challenge of shadowed)
      log.warn({ event: "bundle_shadowed", challenge }, "challenge bundle ignored, its folder is served");
    for (const mistake of mistakes)
      log.error({ event: "challenge_invalid", code: mistake.code }, mistake.message);
    if (changed.length > 0)
      log.info({ event: "challenges_loaded", challenges: changed }, "challenges loaded");
    if (changed.length > 0) dispatcher.soon();
  });

  const windows = new AbortController();
  every(intervals.windows, "ranking windows", () => advanceWindows(context, windows.signal));
  shutdownSteps.add("ranking windows, running update", () => windows.abort());
  every(intervals.finals, "final boards", () => revealFinals(context));

  if (legacy) every(intervals.uploads, "uploads", legacy.sweep);
  every(intervals.uploads, "abandoned uploads", () => abandonUploads(context));
  every(intervals.uploads, "ended uploads", () => removeEndedUploads(context));

  function every(ms: number, name: string, work: () => Promise<unknown>): void {
    let busy: Promise<unknown> | null = null;
    const timer = setInterval(() => {
      busy ??= heartbeats
        .watch(name, work, Math.max(STALLED_AFTER_MS, ms))
        .catch((error) =>
          log.error({ event: "scheduled_job_failed", job: name, err: error }, `${name} failed`),
        )
        .finally(() => {
          busy = null;
        });
    }, ms);
    shutdownSteps.add(name, async () => {
      clearInterval(timer);
      await busy;
    });
  }
}
