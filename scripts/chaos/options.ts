import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { isInstalled } from "../services/programs.ts";
import {
  CONDITIONS,
  type Condition,
  possibleConditions,
  readConditions,
  readOlderRelease,
} from "./conditions.ts";

export interface Options {
  submissions: number;
  kills: number;
  seed: number;
  /** How long submissions and faults are spread over. */
  ms: number;
  brokers: number;
  graders: number;
  records: "postgres" | "sqlite";
  s3: boolean;
  challenges: string | undefined;
  runtime: string;
  conditions: ReadonlySet<Condition>;
  /** Revision or folder of the older of two releases; null for the default. */
  olderRelease: string | null;
  /** Attack so many boxes instead of a fleet. */
  boxes: number | null;
  /**
   * End the process so often at each marked point instead, of the steps whose names contain one of the parts.
   */
  points: { times: number; lanes: number; parts: readonly string[]; tally: string | null } | null;
  keep: boolean;
  verbose: boolean;
  /** Arguments that give the same run again. */
  again: string;
}

const HELP = `npm run chaos -- [options]

  --submissions <n>     default 300
  --kills <n>           processes killed with -9, default 30; half as many other faults besides
  --seed <n>            a random one by default; it is printed
  --minutes <m>         how long submissions and faults are spread over; default 1.5 seconds a kill
  --brokers <n>         default 2; 1 with --records sqlite
  --graders <n>         default 3
  --records <kind>      postgres (default) or sqlite
  --no-s3               objects in folders instead of Swift; files are then submitted only where there is one broker
  --challenges <dir>    a folder of challenge folders of your own; see docs/chaos.md
  --with <list>         conditions, separated by commas, or all:
${Object.entries(CONDITIONS)
  .map(([name, text]) => `                          ${name.padEnd(18)}${text}`)
  .join("\n")}
  --runtime <program>   runs brokers and graders: node (default: this one) or bun
  --boxes <n>           instead: run the hostile programs, and kill graders while they run so many boxes
  --points [part …]     instead: end broker, grader or command at each marked point of the steps whose names
                        contain one of the parts; of all steps without a part
  --times <n>           how often at each, default 20
  --tally <file>        adds the stops to those of earlier commands, and does only what is missing
  --lanes <n>           fleets that share the steps, default 3
  --keep                keep logs and records
  --verbose             tell each fault
`;

/** Seconds a kill takes on average, with what else goes on. */
const PACE_MS = 1500;

/** Reads the arguments; ends the program on a mistake, and after --help. */
export function readOptions(args: string[]): Options {
  try {
    return read(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    process.exit(2);
  }
}

function read(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowNegative: true,
    allowPositionals: true,
    options: {
      submissions: { type: "string", default: "300" },
      kills: { type: "string", default: "30" },
      seed: { type: "string" },
      minutes: { type: "string" },
      brokers: { type: "string" },
      graders: { type: "string", default: "3" },
      records: { type: "string", default: "postgres" },
      s3: { type: "boolean", default: isInstalled("swift") },
      challenges: { type: "string" },
      runtime: { type: "string" },
      with: { type: "string" },
      boxes: { type: "string" },
      points: { type: "boolean", default: false },
      times: { type: "string", default: "20" },
      tally: { type: "string" },
      lanes: { type: "string", default: "3" },
      keep: { type: "boolean", default: false },
      verbose: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  if (positionals.length > 0 && !values.points)
    throw new Error(`Unknown argument ${positionals[0]}; names of steps come after --points.`);
  const records = values.records;
  if (records !== "postgres" && records !== "sqlite")
    throw new Error(`--records is postgres or sqlite, not ${records}`);
  const submissions = whole("submissions", values.submissions, 1);
  const kills = whole("kills", values.kills, 0);
  const brokers = whole("brokers", values.brokers ?? (records === "sqlite" ? "1" : "2"), 1);
  if (records === "sqlite" && brokers > 1) throw new Error("Several brokers need --records postgres.");
  const graders = whole("graders", values.graders, 1);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : whole("seed", values.seed, 0);
  const minutes = values.minutes === undefined ? null : Number(values.minutes);
  if (minutes !== null && !(minutes > 0))
    throw new Error(`--minutes is a number above 0, not ${values.minutes}`);
  const ms = Math.round(minutes === null ? Math.max(10_000, kills * PACE_MS) : minutes * 60_000);
  const again = [
    ...Object.entries({
      submissions,
      kills,
      seed,
      brokers,
      graders,
      records,
      minutes,
      challenges: values.challenges,
      runtime: values.runtime,
      with: values.with,
    })
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => `--${name} ${value}`),
    values.s3 ? "--s3" : "--no-s3",
  ].join(" ");
  return {
    submissions,
    kills,
    seed,
    ms,
    brokers,
    graders,
    records,
    s3: values.s3,
    challenges: values.challenges && resolve(values.challenges),
    runtime: values.runtime ?? process.execPath,
    conditions: possibleConditions(readConditions(values.with ?? ""), { brokers, say: console.log }),
    olderRelease: readOlderRelease(values.with ?? ""),
    boxes: values.boxes === undefined ? null : whole("boxes", values.boxes, 1),
    points: values.points
      ? {
          times: whole("times", values.times, 1),
          lanes: whole("lanes", values.lanes, 1),
          parts: positionals,
          tally: values.tally ? resolve(values.tally) : null,
        }
      : null,
    keep: values.keep,
    verbose: values.verbose,
    again,
  };
}

function whole(name: string, text: string, from: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < from)
    throw new Error(`--${name} is a whole number from ${from}, not ${text}`);
  return value;
}
