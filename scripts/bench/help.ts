import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "../lib/root.ts";
import { type Figure, median } from "./figure.ts";

const PAIRS = 20;
const TARGET = 1.3; // Promised for Node.js; an empty Bun is much cheaper.

/**
 * Measures `crowdai --help` beside an empty program on the same runtime, alternately, so that both meet the
 * same machine.
 */
export function measureHelp(): Figure[] {
  const nothing: number[] = [];
  const help: number[] = [];
  for (let pair = 0; pair <= PAIRS; pair++) {
    const empty = time(["-e", "0"]);
    const full = time([join(root, "cli/bin/crowdai.js"), "--help"]);
    if (pair === 0) continue; // The first pair fills the disk cache.
    nothing.push(empty);
    help.push(full);
  }
  const ratio = median(help) / median(nothing);
  const empty = process.versions.bun ? "bun -e 0" : "node -e 0";
  const target = process.versions.bun ? {} : { target: `≤ ${TARGET} ×`, met: ratio <= TARGET };
  return [
    { name: "crowdai --help, median", value: median(help), unit: "ms" },
    { name: `${empty}, median`, value: median(nothing), unit: "ms" },
    { name: `crowdai --help to ${empty}`, value: ratio, unit: "×", ...target },
  ];
}

function time(args: string[]): number {
  const began = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: "ignore" });
  if (status !== 0) throw new Error(`${args.join(" ")} ended with exit code ${status}`);
  return performance.now() - began;
}
