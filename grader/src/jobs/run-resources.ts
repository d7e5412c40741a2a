import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ObjectStore } from "@crowdai/shared/objects";
import { findProcessLimitTools } from "@crowdai/shared/process-limits";
import type { SandboxName } from "@crowdai/shared/sandbox-names";
import type { Logger } from "../base/log.ts";
import { type BundleCache, createBundleCache } from "../challenges/bundle-cache.ts";
import { findControlGroups } from "../confinement/control-groups.ts";
import { findConfinement } from "../confinement/find-confinement.ts";
import { processTrees } from "../confinement/subreaper.ts";
import { createEvaluatorCache, type EvaluatorCache } from "../evaluators/evaluator-cache.ts";
import { type BuildCache, createBuildCache } from "../run/build-cache.ts";
import { createImages, type Images } from "../run/images.ts";
import { type Boxes, createBoxes, type OpenSandbox } from "./boxes.ts";
import { createMachineHealth, type MachineHealth } from "./machine-health.ts";
import { openSandbox } from "./open-sandbox.ts";
import { probeMachine } from "./probe-machine.ts";
import { createWorkspaces, type Workspaces } from "./workspace.ts";

/** The folders and evaluators that the jobs of one run share. Disposing them stops the evaluators. */
export interface RunResources extends AsyncDisposable {
  evaluators: EvaluatorCache;
  bundles: BundleCache;
  workspaces: Workspaces;
  health: MachineHealth;
  boxes: Boxes;
  builds: BuildCache;
  images: Images;
}

/** Opens the resources of a run in `workDir`, and removes what an earlier run left there. */
export async function openRunResources(options: {
  workDir: string;
  objects: ObjectStore;
  path: string;
  idleSeconds?: number;
  /** How often a machine with a problem is rechecked. */
  recheckMs: number;
  /** Default: bubblewrap. */
  sandbox?: SandboxName;
  /** Opens boxes of another kind. */
  openSandbox?: OpenSandbox;
  log: Logger;
}): Promise<RunResources> {
  const { workDir, objects, path, recheckMs, log } = options;
  const workspacesDir = join(workDir, "workspaces");
  const bundlesDir = join(workDir, "bundles");
  const buildsDir = join(workDir, "builds");
  const imagesDir = join(workDir, "images");
  for (const dir of [workspacesDir, bundlesDir, buildsDir, imagesDir])
    await rm(dir, { recursive: true, force: true });
  await mkdir(workspacesDir, { recursive: true, mode: 0o700 });

  const limitTools = await findProcessLimitTools(path);
  if (!limitTools.prlimit)
    log.warn(
      { event: "prlimit_missing" },
      "prlimit (util-linux) not found: evaluators run without memory limit",
    );
  if (!limitTools.setpriv)
    log.warn(
      { event: "setpriv_missing" },
      "setpriv (util-linux) not found: evaluators may outlive a killed grader",
    );
  const groups = await findControlGroups();
  if (groups && groups.abandoned > 0)
    log.warn(
      { event: "abandoned_groups_removed", count: groups.abandoned },
      "removed control groups of graders that no longer run, with their processes",
    );
  const confinement = await findConfinement(path, groups);
  if (confinement === processTrees)
    log.warn(
      { event: "confinement_missing" },
      "neither control groups nor Perl found: daemons of evaluators may outlive their job",
    );
  const bundles = createBundleCache({ objects, dir: bundlesDir, log });
  const boxesDir = join(workDir, "boxes");
  const { sandbox = "bubblewrap" } = options;
  const boxes = createBoxes(
    options.openSandbox ?? (() => openSandbox(sandbox, { folder: boxesDir, groups })),
    log,
  );
  const evaluators = createEvaluatorCache({
    ...{ limitTools, confinement, path, folder: workspacesDir, sandbox: boxes.sandbox },
    idleMs: (options.idleSeconds ?? 300) * 1000,
  });
  const health = createMachineHealth({
    probe: () => probeMachine(workspacesDir, path, objects),
    ...{ recheckMs, log },
  });
  const builds = createBuildCache(buildsDir);
  const images = createImages(imagesDir);
  return {
    evaluators,
    bundles,
    builds,
    images,
    boxes,
    health,
    workspaces: createWorkspaces(workspacesDir, log),
    async [Symbol.asyncDispose]() {
      health[Symbol.dispose]();
      await evaluators.close();
      await bundles.close();
      await builds.close();
      await images.close();
      for (const dir of [workspacesDir, boxesDir])
        await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
