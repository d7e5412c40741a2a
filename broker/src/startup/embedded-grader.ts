import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createGrader } from "../../../grader/src/index.ts";
import type { BrokerConfig } from "../base/config.ts";
import type { Catalog } from "../domain/challenges/catalog.ts";
import type { Needs } from "../domain/submissions/services.ts";

/**
 * Runs a grader in the broker's process. Returns a function that stops it after its running jobs are finished
 * or returned to the queue.
 */
export function runEmbeddedGrader({
  config,
  queue,
  steps,
  objects,
  catalog,
  log,
  graceSeconds,
}: Needs<"queue" | "steps" | "objects" | "log"> & {
  config: Pick<BrokerConfig, "concurrency" | "dataFolder" | "sandbox">;
  catalog: Catalog;
  /** How long running jobs may take to finish after a stop; 10 by default. */
  graceSeconds?: number;
}): () => Promise<void> {
  const grader = createGrader({
    name: `embedded-${randomUUID().slice(0, 8)}`,
    queue,
    steps,
    objects,
    challenges: catalog.folders,
    bundled: () =>
      new Map([...catalog.all()].flatMap(([id, { bundle }]) => (bundle ? [[id, bundle.key]] : []))),
    concurrency: config.concurrency ?? availableParallelism(),
    sandbox: config.sandbox,
    workDir: join(config.dataFolder, "work"),
    log,
    // Connections are closed first.
    cutsAgents: true,
    ...(graceSeconds === undefined ? {} : { graceSeconds }),
  });
  const stopping = new AbortController();
  const running = grader.run(stopping.signal);
  return () => {
    stopping.abort();
    return running;
  };
}
