import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { root } from "../lib/root.ts";
import { startBroker, withoutBrokerSettings } from "../lib/running-broker.ts";
import { findProgram } from "../services/programs.ts";
import { onceDone } from "./cleanup.ts";
import { type Figure, median } from "./figure.ts";
import { createPlayground } from "./playground.ts";

const ROUNDS = 20;
const TICK_MS = 10;
const crowdai = join(root, "cli/bin/crowdai.js");

interface Program {
  name: string;
  argv: [string, ...string[]];
  /** The most that it may cost over the empty program; absent where it only stands beside another. */
  target?: number;
}

/**
 * Measures commands as whole processes over an empty program on the same runtime, in turns, so that all meet
 * the same machine. The broker is on loopback and grades a value in well under a millisecond of the
 * evaluator's time.
 */
export async function* measureCommands(): AsyncGenerator<Figure> {
  const playground = createPlayground({ accepts: { json: {} } });
  const broker = await startBroker(playground);
  const clean = onceDone(async () => {
    await broker.stop();
    playground.remove();
  });
  try {
    const config = join(playground.data, "client");
    mkdirSync(config);
    const env = {
      ...withoutBrokerSettings(),
      CROWDAI_BROKER: broker.url,
      CROWDAI_API_KEY: await broker.addParticipant("bench"),
      CROWDAI_CHALLENGE: "echo",
      CROWDAI_CONFIG_DIR: config,
      // Where compiled code is kept from the first round on, as on a user's machine.
      XDG_CACHE_HOME: config,
      CI: "true",
    };
    const ours = (...args: string[]): [string, ...string[]] => [process.execPath, crowdai, ...args];
    const empty: Program = { name: "an empty program", argv: [process.execPath, "-e", "0"] };
    const gh = findProgram("gh");
    if (!gh) console.log("LEFT OUT: there is no gh on this machine");
    const programs: Program[] = [
      { name: "crowdai --version", argv: ours("--version") },
      ...(gh ? [{ name: "gh --help", argv: [gh, "--help"] as [string, string] }] : []),
      { name: "crowdai leaderboard", argv: ours("leaderboard"), target: 70 },
      { name: "crowdai submissions", argv: ours("submissions") },
      {
        name: "crowdai submit --json, to its grade",
        argv: ours("submit", "--json", '{"value":0.5}'),
        target: 130,
      },
    ];
    yield* beside(empty, programs, env);
  } finally {
    await clean();
  }
}

async function* beside(empty: Program, programs: Program[], env: NodeJS.ProcessEnv): AsyncGenerator<Figure> {
  const runs = new Map([empty, ...programs].map((program) => [program, { wall: [] as number[], cpu: 0 }]));
  for (let round = 0; round <= ROUNDS; round++)
    for (const [program, { wall }] of runs) {
      const run = time(program, env);
      // A signal is seen between two runs.
      await nextTurn();
      if (round === 0) continue; // Fills the caches.
      wall.push(run.wall);
      runs.get(program)!.cpu += run.cpu;
    }
  const { wall: none, cpu: noCpu } = runs.get(empty)!;
  yield { name: `${empty.name}, median`, value: median(none), unit: "ms" };
  for (const program of programs) {
    const { wall, cpu } = runs.get(program)!;
    const over = median(wall.map((ms, i) => ms - none[i]!));
    const { target } = program;
    yield {
      name: `${program.name}, over it`,
      value: over,
      unit: "ms",
      ...(target ? { target: `≤ ${target} ms`, met: over <= target } : {}),
    };
    if (cpu > 0) yield { name: "  processor time over it", value: (cpu - noCpu) / ROUNDS, unit: "ms" };
  }
}

function time({ argv: [program, ...args] }: Program, env: NodeJS.ProcessEnv): { wall: number; cpu: number } {
  const [began, before] = [performance.now(), cpuOfChildren()];
  const { status, stderr } = spawnSync(program, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  if (status !== 0) throw new Error(`${args.join(" ")} ended with exit code ${status}: ${stderr}`);
  return { wall: performance.now() - began, cpu: cpuOfChildren() - before };
}

/** Milliseconds of all children that have ended; 0 where the system does not tell. */
function cpuOfChildren(): number {
  try {
    const [, ...fields] = readFileSync("/proc/self/stat", "utf8").split(") ");
    const [user, system] = fields.join(") ").split(" ").slice(13, 15);
    return (Number(user) + Number(system)) * TICK_MS;
  } catch {
    return 0;
  }
}
