import { CrowdaiError } from "@crowdai/shared";
import type { BuildCache } from "../run/build-cache.ts";
import type { RunTools } from "../run/code-run.ts";
import type { Images } from "../run/images.ts";
import type { Boxes } from "./boxes.ts";

/** Returns what the runs of this grader share. Throws when its boxes cannot be used. */
export function runToolsOf(options: {
  boxes: Boxes;
  builds: BuildCache;
  images: Images;
  grader: string;
}): RunTools {
  const { boxes, builds, images, grader } = options;
  const sandbox = boxes.sandbox();
  if (!sandbox) throw new CrowdaiError("sandbox_unavailable");
  return { sandbox, builds, images, maker: { sandbox: sandbox.name, barriers: boxes.barriers(), grader } };
}
