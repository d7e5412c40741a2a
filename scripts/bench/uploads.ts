import { spawn } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../lib/root.ts";
import { startBroker, withoutBrokerSettings } from "../lib/running-broker.ts";
import { findProgram } from "../services/programs.ts";
import { SWIFT_ACCESS_KEY, SWIFT_REGION, SWIFT_SECRET_KEY, startSwift } from "../services/swift.ts";
import { onceDone } from "./cleanup.ts";
import { type Figure, median } from "./figure.ts";
import { createPlayground } from "./playground.ts";

const MB = 1_000_000;
const SIZES = [
  { name: "1 MB", bytes: MB, rounds: 5 },
  { name: "100 MB", bytes: 100 * MB, rounds: 3 },
  { name: "2 GB", bytes: 2000 * MB, rounds: 3 },
];
/** Of smaller files, starting the process and proving the bytes are most of the time. */
const TARGET_BYTES = 2000 * MB;
const TARGET_SHARE = 0.9;
const TARGET_MB = 150;
const SAMPLE_MS = 20;

interface Run {
  seconds: number;
  /** Peak resident memory of the process. */
  megabytes: number;
}

/** Sends a file; `round` makes each a new object. */
type Send = (file: string, round: number) => Promise<Run>;

/**
 * `crowdai submit`, as a whole process from start to acceptance, beside `aws s3 cp` and rclone with their own
 * settings: the same file to the same store, in turns. Medians count; so does the memory of the client, which
 * must not grow with the file.
 */
export async function* measureUploads(): AsyncGenerator<Figure> {
  const peers = (["aws", "rclone"] as const).filter((name) => findProgram(name));
  for (const name of ["aws", "rclone"] as const)
    if (!peers.includes(name))
      console.log(`LEFT OUT: there is no ${name} (Debian: awscli, rclone) on this machine`);
  const folder = mkdtempSync(join(tmpdir(), "crowdai-bench-uploads-"));
  const swift = await startSwift({ folder: join(folder, "swift") });
  const env = {
    S3_ENDPOINT: swift.url,
    S3_BUCKET: "crowdai",
    S3_REGION: SWIFT_REGION,
    AWS_ACCESS_KEY_ID: SWIFT_ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: SWIFT_SECRET_KEY,
  };
  const playground = createPlayground({ accepts: { file: { max_bytes: 3000 * MB } } });
  const broker = await startBroker({ ...playground, env, withGrader: false });
  const clean = onceDone(async () => {
    await broker.stop();
    await swift.stop();
    playground.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  try {
    const apiKey = await broker.addParticipant("bench");
    const send: Record<string, Send> = {
      crowdai: sendOurs(broker.url, apiKey, folder),
      ...(peers.includes("aws") ? { "aws s3 cp": sendAws(swift.url) } : {}),
      ...(peers.includes("rclone") ? { rclone: sendRclone(swift.url) } : {}),
    };
    for (const size of SIZES) yield* await compare(size, send, folder);
  } finally {
    await clean();
  }
}

async function compare(
  { name, bytes, rounds }: (typeof SIZES)[number],
  send: Record<string, Send>,
  folder: string,
): Promise<Figure[]> {
  const file = join(folder, "predictions.bin");
  const runs: Record<string, Run>[] = [];
  for (let round = 0; round < rounds; round++) {
    writeRandom(file, bytes);
    const result: Record<string, Run> = {};
    // Each begins once, so that none always has the store as the one before it left it.
    const order = Object.entries(send);
    for (const [who, start] of [
      ...order.slice(round % order.length),
      ...order.slice(0, round % order.length),
    ])
      result[who] = await start(file, round);
    runs.push(result);
  }
  rmSync(file);
  const seconds = (who: string) => median(runs.map((run) => run[who]!.seconds));
  const shares = runs.map((run) => {
    const others = Object.entries(run).filter(([who]) => who !== "crowdai");
    return Math.min(...others.map(([, { seconds: theirs }]) => theirs)) / run.crowdai!.seconds;
  });
  const share = median(shares);
  const memory = Math.max(...runs.map((run) => run.crowdai!.megabytes));
  return [
    ...Object.keys(send).map((who) => ({
      name: `upload of ${name}, ${who}`,
      value: bytes / MB / seconds(who),
      unit: "MB/s",
    })),
    ...(Object.keys(send).length > 1
      ? [
          {
            name: "  ours beside the faster of the others",
            value: share,
            unit: "×",
            ...(bytes >= TARGET_BYTES
              ? { target: `at least ${TARGET_SHARE}`, met: share >= TARGET_SHARE }
              : {}),
          },
        ]
      : []),
    {
      name: "  peak memory of the client",
      value: memory,
      unit: "MB",
      target: `under ${TARGET_MB}`,
      met: memory < TARGET_MB,
    },
  ];
}

/** New bytes each time: nothing on the way may have seen them before. */
function writeRandom(file: string, bytes: number): void {
  const block = Buffer.alloc(8 * MB);
  const to = openSync(file, "w");
  for (let left = bytes; left > 0; left -= block.length)
    writeSync(to, randomFillSync(block), 0, Math.min(left, block.length));
  closeSync(to);
}

function sendOurs(broker: string, apiKey: string, folder: string): Send {
  const config = join(folder, "config");
  mkdirSync(config);
  const env = {
    ...withoutBrokerSettings(),
    CROWDAI_BROKER: broker,
    CROWDAI_API_KEY: apiKey,
    CROWDAI_CONFIG_DIR: config,
    CI: "true",
  };
  return (file) =>
    timed(
      process.execPath,
      [join(root, "cli/bin/crowdai.js"), "submit", file, "-c", "echo", "--no-wait"],
      env,
    );
}

function sendAws(endpoint: string): Send {
  const env = {
    ...withoutBrokerSettings(),
    AWS_ACCESS_KEY_ID: SWIFT_ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: SWIFT_SECRET_KEY,
    AWS_DEFAULT_REGION: SWIFT_REGION,
  };
  return (file, round) =>
    timed("aws", ["--endpoint-url", endpoint, "s3", "cp", "--quiet", file, `s3://crowdai/aws/${round}`], env);
}

function sendRclone(endpoint: string): Send {
  const env = {
    ...withoutBrokerSettings(),
    RCLONE_CONFIG: "/dev/null",
    RCLONE_CONFIG_STORE_TYPE: "s3",
    RCLONE_CONFIG_STORE_PROVIDER: "Other",
    RCLONE_CONFIG_STORE_ENDPOINT: endpoint,
    RCLONE_CONFIG_STORE_REGION: SWIFT_REGION,
    RCLONE_CONFIG_STORE_ACCESS_KEY_ID: SWIFT_ACCESS_KEY,
    RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY: SWIFT_SECRET_KEY,
  };
  return (file, round) => timed("rclone", ["copyto", file, `store:crowdai/rclone/${round}`], env);
}

async function timed(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<Run> {
  const began = performance.now();
  const child = spawn(program, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (text) => {
    said += text;
  });
  let peak = 0;
  const sampling = setInterval(() => {
    peak = Math.max(peak, peakOf(child.pid!));
  }, SAMPLE_MS);
  const [code] = await once(child, "exit");
  clearInterval(sampling);
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${said}`);
  return { seconds: (performance.now() - began) / 1000, megabytes: peak / 1000 };
}

/** The most it ever had resident, in kB, as the system kept count; 0 when it has ended. */
function peakOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmHWM:\s+(\d+)/)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
