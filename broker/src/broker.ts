import { randomUUID } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createGrader } from "@crowdai/grader";
import { CrowdaiError, type Report } from "@crowdai/shared";
import { createAdaptorServer } from "@hono/node-server";
import type { Logger } from "pino";
import { createApp } from "./app.ts";
import { openCatalogue } from "./challenges/catalogue.ts";
import type { Clock } from "./clock.ts";
import { finaliseCode } from "./code/finalise.ts";
import { codeFolder, openCode } from "./code/open-code.ts";
import { showRepositories } from "./code/show-repositories.ts";
import { sweepAwaitedCode } from "./code/sweep-code.ts";
import type { BrokerConfig } from "./config.ts";
import { createAttachedGraders } from "./graders/attached-graders.ts";
import { createGradingTimes } from "./graders/grading-times.ts";
import { createLines } from "./graders/lines.ts";
import { createHeartbeats, PATIENCE_MS } from "./health/heartbeats.ts";
import { createLineWatch } from "./health/line-watch.ts";
import { advanceWindows } from "./leaderboard/window.ts";
import { openLegacy } from "./legacy/open-legacy.ts";
import { createBoardWatch } from "./live/board-watch.ts";
import { openGateway } from "./live/gateway.ts";
import { createListeners } from "./live/listeners.ts";
import { createMediaMaker } from "./media/media-maker.ts";
import { describeMedia, findMediaPrograms } from "./media/media-tools.ts";
import { addGauges } from "./metrics/gauges.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { openMessaging } from "./open-messaging.ts";
import { openObjects } from "./open-objects.ts";
import { sweepPublishing } from "./publishing/show-published.ts";
import { REPORTS, readReadiness } from "./readiness.ts";
import { lockDataFolder } from "./records/data-lock.ts";
import { claimObjects } from "./records/instance.ts";
import { openRecords } from "./records/open.ts";
import { sweepRegrades } from "./regrade/sweep-regrades.ts";
import { createReleasers } from "./releasers.ts";
import { abandonUploads } from "./submissions/announced-parts.ts";
import type { SubmissionContext } from "./submissions/context.ts";
import { createDispatcher } from "./submissions/dispatch.ts";
import { createRecovery } from "./submissions/recover.ts";
import { applyReport } from "./submissions/settle.ts";
import { sweepDeadlines } from "./submissions/sweep.ts";
import { VERSION } from "./version.ts";
import { embeddedWebapp } from "./webapp/embedded.ts";
import { remoteWebapp, type WebappTimes } from "./webapp/remote/remote.ts";
import type { Webapp } from "./webapp/webapp.ts";

const IDLE_MS = 120_000;
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

export interface Broker {
  url: string;
  /** One line for each port, and what stands behind it. */
  parts: string[];
  /** Ends sessions, lets the grader finish or hand back, and closes everything in reverse order. */
  stop(): Promise<void>;
}

export interface BrokerOptions {
  config: BrokerConfig;
  log: Logger;
  clock?: Clock;
  webappTimes?: WebappTimes;
}

/** The composition root: every adapter is chosen, and every part put together, here. */
export async function createBroker({
  config,
  log,
  clock = () => new Date(),
  webappTimes,
}: BrokerOptions): Promise<Broker> {
  const releasers = createReleasers(log);
  const heartbeats = createHeartbeats();
  try {
    return await compose();
  } catch (error) {
    await releasers.release();
    throw error;
  }

  async function compose(): Promise<Broker> {
    const lock = lockDataFolder(config.dataFolder);
    releasers.add("data lock", () => lock.release());
    const records = await openRecords(config);
    releasers.add("records", () => records.close());
    const catalogue = await openCatalogue(config.challengesFolder, records);

    let url = config.publicUrl ?? "";
    const { objects, signedStore } = await openObjects(config, () => url);
    releasers.add("objects", () => objects.close());
    await claimObjects(records.db, objects);
    const { queue, adapter, close } = await openMessaging(config, log);
    releasers.add("queue", close);

    const graders = createAttachedGraders(queue, clock);
    const dispatcher = createDispatcher({ records, queue, catalogue, clock, log });
    const listeners = createListeners();
    const webapp: Webapp = config.webapp
      ? remoteWebapp({ ...config.webapp, context: () => context, times: webappTimes })
      : embeddedWebapp(records.db);
    const metrics = createMetrics();
    releasers.add("metrics", () => metrics.close());
    const context: SubmissionContext = {
      records,
      objects,
      queue,
      webapp,
      catalogue,
      graders,
      gradingTimes: createGradingTimes(metrics.graded),
      lines: createLines(),
      metrics,
      clock,
      log,
      baseUrl: () => url,
      trustedProxies: config.trustedProxies,
      announce(events) {
        metrics.written(events);
        gateway.announce(events);
      },
      dispatchSoon: dispatcher.soon,
      dispatchStalled: dispatcher.stalled,
    };

    const mediaPrograms = await findMediaPrograms(config.programPath);
    const media = await createMediaMaker({
      records,
      objects,
      programs: mediaPrograms,
      folder: join(config.dataFolder, "media"),
      clock,
      log,
    });
    releasers.add("media", () => media.stop());
    addGauges(metrics, context);
    const line = createLineWatch(context);
    const code = await openCode({
      folder: codeFolder(config.dataFolder),
      settings: config.codeHost,
      path: config.programPath,
      submissions: context,
    });
    releasers.add("git", () => code.repositories.git.close());

    const legacy = config.legacyClients ? await openLegacy(context, listeners.next) : null;

    const boards = createBoardWatch({ db: records.db, log });
    releasers.add("board watch", () => boards.close());
    const app = createApp({
      context: () => context,
      code: () => code,
      version: VERSION,
      signedStore,
      nextEvent: listeners.next,
      boards,
      legacy: legacy?.routes,
      adminKey: config.webappToken,
      readiness: () => readReadiness(context, heartbeats, line),
      metrics,
      metricsToken: config.metricsToken,
      log,
    });
    const server = createAdaptorServer({ fetch: app.fetch }) as HttpServer;
    // A large upload over a slow link takes as long as it takes; what ends is a connection on which nothing moves.
    server.requestTimeout = 0;
    server.timeout = IDLE_MS;
    const gateway = openGateway({
      server,
      context: () => context,
      version: VERSION,
      adapter,
      boards,
      heard: listeners.announce,
      legacy: legacy?.door,
    });
    metrics.gauge("crowdai_sessions", "Clients connected to this broker.", async () => gateway.sessions());
    metrics.gauge("crowdai_watched_submissions", "Submissions somebody connected here watches.", async () =>
      gateway.watched(),
    );

    const reports = new AbortController();
    const apply = (report: Report) => heartbeats.watch(REPORTS, () => applyReport(context, report));
    const receiving = queue.receive(apply, reports.signal);
    releasers.add("reports", () => {
      reports.abort();
      return receiving;
    });
    const recovery = createRecovery(context, dispatcher.forget);
    const recovering = queue.recover(recovery, reports.signal);
    releasers.add("recovery", () => {
      reports.abort();
      return recovering;
    });
    releasers.add("dispatcher", () => dispatcher.stop());

    if (config.withGrader) {
      const grader = createGrader({
        name: `embedded-${randomUUID().slice(0, 8)}`,
        queue,
        objects,
        challenges: catalogue.folders,
        bundled: () => [...catalogue.all()].filter(([, { bundle }]) => bundle).map(([id]) => id),
        concurrency: config.concurrency ?? availableParallelism(),
        workDir: join(config.dataFolder, "work"),
        log,
      });
      const stopping = new AbortController();
      const running = grader.run(stopping.signal);
      releasers.add("grader", () => {
        stopping.abort();
        return running;
      });
    }

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

    releasers.add("sessions and requests", async () => {
      const closed = gateway.close();
      server.closeAllConnections();
      await closed;
    });
    const at = await listen(server, config);
    url = config.publicUrl ?? at;
    const note = join(config.dataFolder, "broker.json");
    writeFileSync(note, JSON.stringify({ url, pid: process.pid, version: VERSION }));
    releasers.add("broker.json", () => rmSync(note, { force: true }));
    dispatcher.soon();
    return {
      url,
      parts: [
        `records     ${records.name}`,
        `objects     ${objects.name}`,
        `code        repositories in ${code.repositories.folder}${code.host.outside ? `, shown by ${code.host.name}` : ""}`,
        `queue       ${queue.name}`,
        `media       ${describeMedia(mediaPrograms)}`,
        `grader      ${config.withGrader ? "in this process" : "none in this process"}`,
        `webapp      ${webapp.name}`,
        `challenges  ${[...catalogue.all().keys()].join(", ") || `none yet; put a folder into ${config.challengesFolder}`}`,
      ],
      stop: () => releasers.release(),
    };
  }

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

function listen(server: HttpServer, { port, host }: BrokerConfig): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") return reject(error);
      reject(
        new CrowdaiError("port_in_use", `Port ${port} on ${host} is taken by another program.`, {
          cause: error,
        }),
      );
    });
    server.listen(port, host, () => {
      const { address, port: taken, family } = server.address() as AddressInfo;
      const name =
        address === "0.0.0.0" || address === "::"
          ? "localhost"
          : family === "IPv6"
            ? `[${address}]`
            : address;
      resolve(`http://${name}:${taken}`);
    });
  });
}
