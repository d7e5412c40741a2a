import { rmSync } from "node:fs";
import type { Server as HttpServer } from "node:http";
import { join } from "node:path";
import { type CrowdaiError, isLastEvent, type Report, type SubmissionEvent } from "@crowdai/shared";
import { createAdaptorServer } from "@hono/node-server";
import type { Logger } from "pino";
import { ciTokens } from "../background/ci-issuers/ci-tokens.ts";
import { createMediaMaker } from "../background/media/media-maker.ts";
import { describeMedia, findMediaPrograms } from "../background/media/media-tools.ts";
import { createPictureMaker } from "../background/media/picture-maker.ts";
import { embeddedWebapp } from "../background/webapp/embedded-webapp.ts";
import { remoteWebapp, type WebappTimes } from "../background/webapp/remote/remote-webapp.ts";
import { createWebhookRecorder } from "../background/webhooks/record-webhooks.ts";
import { createWebhookSender } from "../background/webhooks/webhook-sender.ts";
import { basePathOf } from "../base/base-path.ts";
import type { Clock } from "../base/clock.ts";
import { type BrokerConfig, objectsFolder } from "../base/config.ts";
import { replacePrivateFile } from "../base/private-file.ts";
import { VERSION } from "../base/version.ts";
import { openCatalog } from "../domain/challenges/catalog.ts";
import { createSeeds } from "../domain/environments/session-seeds.ts";
import { createAttachedGraders } from "../domain/graders/attached-graders.ts";
import { createGradingTimes } from "../domain/graders/grading-times.ts";
import { createQueuePositions } from "../domain/graders/queue-positions.ts";
import { createBoardWatch } from "../domain/leaderboard/board-watch.ts";
import { createMetrics } from "../domain/metrics/metrics.ts";
import { applyRegradeReport } from "../domain/regrade/apply-regrade-report.ts";
import { enqueueRegrades } from "../domain/regrade/enqueue-regrades.ts";
import { republishRegrades, restartRegrades } from "../domain/regrade/sweep-regrades.ts";
import { createInstanceIds } from "../domain/sessions/gym-instances.ts";
import { createRemoteAgents } from "../domain/sessions/remote-agents.ts";
import { applyReport } from "../domain/submissions/apply-report.ts";
import { createDispatcher } from "../domain/submissions/dispatcher.ts";
import { createRecovery } from "../domain/submissions/recover-queue.ts";
import type { Webapp } from "../domain/webapp/webapp.ts";
import type { HttpServices } from "../http/requests/http-services.ts";
import { assignNumbers } from "../http/webapp-api/challenge-numbers.ts";
import { openLegacy } from "../legacy/open-legacy.ts";
import { openGateway } from "../realtime/gateway.ts";
import { createListeners } from "../realtime/listeners.ts";
import { lockDataFolder } from "../records/data-lock.ts";
import { claimObjects } from "../records/instance.ts";
import { openRecords } from "../records/open.ts";
import { readSecret } from "../records/secret.ts";
import { acceptBasePath } from "./accept-base-path.ts";
import { createApp } from "./app.ts";
import { runEmbeddedGrader } from "./embedded-grader.ts";
import { addGauges } from "./gauges.ts";
import { createHeartbeats } from "./heartbeats.ts";
import { listen } from "./listen.ts";
import { codeFolder, openCode } from "./open-code.ts";
import { openMessaging } from "./open-messaging.ts";
import { openObjects } from "./open-objects.ts";
import { createQueueWatch } from "./queue-watch.ts";
import { REPORTS, readReadiness } from "./readiness.ts";
import { createRecordsClock } from "./records-clock.ts";
import { type Intervals, startScheduler } from "./scheduler.ts";
import { shouldUpgrade } from "./should-upgrade.ts";
import { createShutdownSteps } from "./shutdown-steps.ts";
import { createStorageCheck } from "./storage-check.ts";

const IDLE_MS = 120_000;

export interface Broker {
  url: string;
  /** One line for each port, naming the implementation behind it. */
  parts: string[];
  /** Resolves with the reason when the broker cannot go on until it is started again. */
  failed: Promise<CrowdaiError>;
  /** Ends sessions, lets the grader finish or return its jobs, and closes everything in reverse order. */
  stop(): Promise<void>;
}

export interface BrokerOptions {
  config: BrokerConfig;
  log: Logger;
  clock?: Clock;
  webappTimes?: WebappTimes;
  webhookOptions?: Partial<Parameters<typeof createWebhookSender>[1]>;
  /** How often the scheduled jobs run; INTERVALS by default. */
  intervals?: Partial<Intervals>;
  /** Runs a grader in this process, when the settings ask for one. */
  runGrader?: typeof runEmbeddedGrader;
  /** Aborted to end a start: it releases what it has opened, and rejects with the reason. */
  signal?: AbortSignal;
  /** False for a code host without a limit on the rate of writes. Default true. */
  pacedCodeHost?: boolean;
}

/** The composition root: it chooses every adapter and puts every part together. */
export async function createBroker({
  config,
  log,
  clock: givenClock,
  webappTimes,
  webhookOptions,
  intervals,
  runGrader = runEmbeddedGrader,
  pacedCodeHost,
  signal,
}: BrokerOptions): Promise<Broker> {
  const shutdownSteps = createShutdownSteps(log);
  const heartbeats = createHeartbeats();
  try {
    return await compose();
  } catch (error) {
    await shutdownSteps.release();
    throw error;
  }

  async function compose(): Promise<Broker> {
    const lock = lockDataFolder(config.dataFolder);
    shutdownSteps.add("data lock", () => lock.release());
    const records = await openRecords(config);
    shutdownSteps.add("records", () => records.close());
    signal?.throwIfAborted();
    const recordsClock = await createRecordsClock(records, log);
    const clock = givenClock ?? recordsClock.clock;
    const catalog = await openCatalog(config.challengesFolder, records);
    await assignNumbers({ records, catalog, clock });

    let url = config.publicUrl ?? "";
    const { objects, signedStore } = await openObjects(config, () => url, clock);
    shutdownSteps.add("objects", () => objects.close());
    await claimObjects(records.db, objects);
    const { queue, steps, adapter, createRateLimiter, close } = await openMessaging(config, log);
    shutdownSteps.add("queue", close);
    signal?.throwIfAborted();
    const environmentSecret = await readSecret(records.db, "environment_secret");
    const seedsOf = createSeeds(environmentSecret);

    const graders = createAttachedGraders(queue, clock);
    const dispatcher = createDispatcher({
      records,
      queue,
      catalog,
      clock,
      log,
      seedsOf,
      enqueueRegrades: () => enqueueRegrades({ records, queue, catalog, clock, seedsOf }),
    });
    const listeners = createListeners();
    const webapp: Webapp = config.webapp
      ? remoteWebapp({ ...config.webapp, context: () => context, times: webappTimes })
      : embeddedWebapp(records.db, clock);
    const metrics = createMetrics();
    shutdownSteps.add("metrics", () => metrics.close());
    const agents = createRemoteAgents(() => context, steps);
    shutdownSteps.add("agents", () => agents.close());
    const mediaPrograms = await findMediaPrograms(config.programPath);
    const pictures = await createPictureMaker(mediaPrograms, join(config.dataFolder, "pictures"));
    shutdownSteps.add("pictures", () => pictures.stop());
    const context: HttpServices = {
      records,
      objects,
      queue,
      steps,
      webapp,
      catalog,
      graders,
      gradingTimes: createGradingTimes(metrics.graded),
      queuePositions: createQueuePositions(),
      metrics,
      seedsOf,
      clock,
      log,
      baseUrl: () => url,
      trustedProxies: config.trustedProxies,
      agents,
      // The participants of a remote webapp and their keys are the webapp's.
      ci: {
        ...ciTokens({ issuers: config.webapp ? [] : config.ci.issuers, baseUrl: () => url, clock }),
        sessionMs: config.ci.sessionMs,
      },
      createRateLimiter,
      pictures,
      announce(challenge, events) {
        metrics.written(challenge, events);
        gateway.announce(events);
        forgetSessions(challenge, events);
      },
      dispatchSoon: dispatcher.soon,
      dispatchStalled: dispatcher.stalled,
      runsCode(challenge) {
        const { run, environment } = catalog.all().get(challenge)?.config ?? {};
        return Boolean(run) || environment?.agents.every((agent) => agent === "code") === true;
      },
    };

    const forgetSessions = (challenge: string, events: SubmissionEvent[]) => {
      if (!catalog.all().get(challenge)?.config.environment) return;
      for (const { submission, type } of events)
        if (isLastEvent(type))
          steps.forget(submission).catch((error) =>
            // It expires by itself.
            log.warn(
              { event: "session_forget_failed", err: error, submission },
              "forgetting a session failed",
            ),
          );
    };

    const media = await createMediaMaker({
      records,
      objects,
      programs: mediaPrograms,
      folder: join(config.dataFolder, "media"),
      clock,
      log,
    });
    shutdownSteps.add("media", () => media.stop());
    addGauges(metrics, context);
    const queueWatch = createQueueWatch(context);
    const code = await openCode({
      folder: codeFolder(config.dataFolder),
      settings: config.codeHost,
      paced: pacedCodeHost,
      path: config.programPath,
      services: context,
    });
    shutdownSteps.add("git", () => code.repositories.git.close());
    signal?.throwIfAborted();

    const legacy = config.legacyClients ? await openLegacy(context, listeners.next, createRateLimiter) : null;

    const storage = createStorageCheck(context, [
      { name: "data folder", path: config.dataFolder },
      ...(signedStore ? [{ name: "object store", path: objectsFolder(config.dataFolder) }] : []),
      { name: "code folder", path: code.repositories.folder },
    ]);
    const boards = createBoardWatch({ db: records.db, log });
    shutdownSteps.add("leaderboard watch", () => boards.close());
    const app = createApp({
      context: () => context,
      code: () => code,
      version: VERSION,
      signedStore,
      nextEvent: listeners.next,
      boards,
      instanceIds: createInstanceIds(environmentSecret),
      createRateLimiter,
      legacy: legacy?.routes,
      adminKey: config.webappToken,
      webFormToken: config.webapp?.token,
      readiness: () => readReadiness({ ...context, storage }, heartbeats, queueWatch),
      metrics,
      metricsToken: config.metricsToken,
      log,
    });
    const basePath = config.publicUrl ? basePathOf(config.publicUrl) : "";
    const server = createAdaptorServer({
      fetch: app.fetch,
      serverOptions: { shouldUpgradeCallback: (request) => shouldUpgrade(request, basePath) },
    }) as HttpServer;
    // A large upload over a slow link may take hours; only a connection on which nothing moves is closed.
    server.requestTimeout = 0;
    server.timeout = IDLE_MS;
    const gateway = openGateway({
      server,
      context: () => context,
      version: VERSION,
      adapter,
      boards,
      agents,
      heard(events) {
        listeners.announce(events);
        agents.heard(events);
      },
      legacy: legacy?.gateway,
    });
    if (basePath !== "") acceptBasePath(server, basePath);
    // When the start fails before the server listens; otherwise sessions are closed first, see below.
    shutdownSteps.add("gateway", () => gateway.close());
    metrics.gauge("crowdai_sessions", "Clients connected to this broker.", async () => gateway.sessions());
    metrics.gauge("crowdai_watched_submissions", "Submissions watched by clients of this broker.", async () =>
      gateway.watched(),
    );

    const reports = new AbortController();
    const apply = (report: Report) =>
      heartbeats.watch(REPORTS, () =>
        applyReport(context, report, (trx, report) => applyRegradeReport(context, trx, report)),
      );
    const receiving = queue.receive(apply, reports.signal);
    shutdownSteps.add("reports", () => {
      reports.abort();
      return receiving;
    });
    const recovery = createRecovery(context, {
      republishRegrades,
      restartRegrades: (known) => restartRegrades(context, known),
    });
    const recovering = queue.recover(recovery, reports.signal);
    shutdownSteps.add("recovery", () => {
      reports.abort();
      return recovering;
    });
    shutdownSteps.add("dispatcher", () => dispatcher.stop());

    const recordWebhooks = createWebhookRecorder(context);
    await recordWebhooks();
    const webhooks = {
      ...createWebhookSender(context, { hosts: config.webhookHosts, ...webhookOptions }),
      record: recordWebhooks,
    };

    if (config.withGrader)
      shutdownSteps.add("grader", runGrader({ config, queue, steps, objects, catalog, log }));
    startScheduler({
      context,
      graders,
      code,
      media,
      webhooks,
      queueWatch,
      measureClock: recordsClock.measure,
      legacy,
      dispatcher,
      heartbeats,
      shutdownSteps,
      intervals,
    });

    shutdownSteps.add("sessions and requests", async () => {
      const closed = gateway.close();
      server.closeAllConnections();
      await closed;
    });
    signal?.throwIfAborted();
    const at = await listen(server, config);
    signal?.throwIfAborted();
    url = config.publicUrl ?? at;
    const note = join(config.dataFolder, "broker.json");
    replacePrivateFile(note, Buffer.from(JSON.stringify({ url, pid: process.pid, version: VERSION })));
    shutdownSteps.add("broker.json", () => rmSync(note, { force: true }));
    dispatcher.soon();
    return {
      url,
      parts: [
        `records     ${records.name}`,
        `objects     ${objects.name}`,
        `code        repositories in ${code.repositories.folder}${code.host.outside ? `, mirrored to ${code.host.name}` : ""}`,
        `queue       ${queue.name}`,
        `media       ${describeMedia(mediaPrograms)}`,
        `grader      ${config.withGrader ? "in this process" : "none in this process"}`,
        `webapp      ${webapp.name}`,
        `challenges  ${[...catalog.all().keys()].join(", ") || `none yet; put a challenge folder into ${config.challengesFolder}`}`,
      ],
      failed: records.failed ?? new Promise(() => {}),
      stop: () => shutdownSteps.release(),
    };
  }
}
