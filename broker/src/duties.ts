import type { CodeContext } from "./code/code-context.ts";
import { finaliseCode } from "./code/finalise.ts";
import { showRepositories } from "./code/show-repositories.ts";
import { sweepAwaitedCode } from "./code/sweep-code.ts";
import type { Heartbeats } from "./health/heartbeats.ts";
import { PATIENCE_MS } from "./health/heartbeats.ts";
import type { LineWatch } from "./health/line-watch.ts";

import { advanceWindows } from "./leaderboard/window.ts";
import type { MediaMaker } from "./media/media-maker.ts";
import { sweepPublishing } from "./publishing/show-published.ts";
import { sweepRegrades } from "./regrade/sweep-regrades.ts";
import type { Releasers } from "./releasers.ts";
import { abandonUploads } from "./submissions/announced-parts.ts";
import type { SubmissionContext } from "./submissions/context.ts";
import type { Dispatcher } from "./submissions/dispatch.ts";
import { sweepDeadlines } from "./submissions/sweep.ts";

const SWEEP_MS = 5000;
const REFRESH_MS = 2000;
const DISPATCH_MS = 1000;
const LOOK_MS = 1000;
const LINE_MS = 5000;
const REGRADE_MS = 1000;
const WEBAPP_MS = 1000;
const WINDOWS_MS = 1000;
const UPLOADS_MS = 600_000;
const MEDIA_MS = 300;
const CODE_MS = 500;
const SHOW_MS = 2000;
const PUBLISH_MS = 1000;

/** What a broker does again and again, whether anybody asks or not: every state that is not final has its owner here. */
export function startDuties(options: {
  context: SubmissionContext;
  code: CodeContext;
  media: Pick<MediaMaker, "soon">;
  line: Pick<LineWatch, "look">;
  legacy: { sweep(): Promise<unknown> } | null;
  dispatcher: Pick<Dispatcher, "soon">;
  heartbeats: Heartbeats;
  releasers: Releasers;
}): void {
  const { context, code, media, line, legacy, dispatcher, heartbeats, releasers } = options;
  const { catalogue, graders, webapp, log } = context;

  every(SWEEP_MS, "deadlines", async () => {
    // First: a submission that waited for its code ends by that reason.
    await sweepAwaitedCode(context);
    await sweepDeadlines(context);
  });
  every(CODE_MS, "commits", () => finaliseCode(code));
  every(PUBLISH_MS, "publishing", () => sweepPublishing(code));
  if (code.host.outside) every(SHOW_MS, "code host", () => showRepositories(code));
  every(REGRADE_MS, "regrades", () => sweepRegrades(context));
  every(MEDIA_MS, "media", async () => media.soon());
  every(LINE_MS, "line", () => line.look());
  every(LOOK_MS, "graders", () => graders.look());
  every(WEBAPP_MS, "webapp", () => webapp.tell());
  // First, for a webapp that hangs must not hold up the end.
  releasers.add("calls to the webapp", () => webapp.close());
  every(DISPATCH_MS, "dispatch", async () => dispatcher.soon());
  every(REFRESH_MS, "challenges", async () => {
    const { changed, mistakes, shadowed } = await catalogue.refresh();
    for (const challenge of shadowed)
      log.warn({ challenge }, "this challenge has a folder here and a bundle; the folder is served");
    for (const mistake of mistakes) log.error({ code: mistake.code }, mistake.message);
    if (changed.length > 0) log.info({ challenges: changed }, "challenges loaded");
    if (changed.length > 0) dispatcher.soon();
  });

  const windows = new AbortController();
  every(WINDOWS_MS, "ranking windows", () => advanceWindows(context, windows.signal));
  releasers.add("ranking windows that move", () => windows.abort());

  if (legacy) every(UPLOADS_MS, "uploads", legacy.sweep);
  every(UPLOADS_MS, "abandoned uploads", () => abandonUploads(context));

  function every(ms: number, name: string, work: () => Promise<unknown>): void {
    let busy: Promise<unknown> | null = null;
    const timer = setInterval(() => {
      busy ??= heartbeats
        .watch(name, work, Math.max(PATIENCE_MS, ms))
        .catch((error) => log.error({ err: error }, `${name} failed`))
        .finally(() => {
          busy = null;
        });
    }, ms);
    releasers.add(name, async () => {
      clearInterval(timer);
      await busy;
    });
  }
}
