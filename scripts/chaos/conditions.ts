import { findProgram } from "../services/programs.ts";

/** The conditions of a fleet besides the faults of its plan: each needs a set-up of its own. */
export const CONDITIONS = {
  sentinel: "Redis with a replica; Sentinel makes it the master when the master dies",
  valkey: "Valkey in place of Redis",
  "broker-clock": "the second broker's clock is an hour ahead",
  "full-disk": "one more grader, whose disk is full again and again",
  "wrong-clock": "one more grader, whose clock is a day behind",
  "broken-evaluator": "one more grader, which cannot start the evaluator",
  "two-releases": "an older release, replaced process by process; =<git revision or folder of a build>",
} as const;
export type Condition = keyof typeof CONDITIONS;

const RELEASE = "two-releases=";
const NAMES = Object.keys(CONDITIONS) as Condition[];

/** Reads `a,b` or `all`. Throws an Error that names an unknown one. */
export function readConditions(text: string): ReadonlySet<Condition> {
  if (text === "all") return new Set(NAMES);
  const names = text
    .split(",")
    .filter(Boolean)
    .map((name) => (name.startsWith(RELEASE) ? "two-releases" : name));
  const unknown = names.find((name) => !NAMES.includes(name as Condition));
  if (unknown !== undefined) throw new Error(`--with is all, or some of ${NAMES.join(",")}; not ${unknown}`);
  return new Set(names as Condition[]);
}

/** Returns the revision or folder of `two-releases=…`; null when none is named. */
export const readOlderRelease = (text: string): string | null =>
  text
    .split(",")
    .find((name) => name.startsWith(RELEASE))
    ?.slice(RELEASE.length) || null;

/** Leaves out the conditions that cannot be set up, and reports each with its reason. */
export function possibleConditions(
  wanted: ReadonlySet<Condition>,
  { brokers, say }: { brokers: number; say: (line: string) => void },
): ReadonlySet<Condition> {
  const obstacles: Partial<Record<Condition, string | false>> = {
    valkey: findProgram("valkey-server") === null && "there is no valkey-server",
    "broker-clock": brokers < 2 && "it needs a second broker",
    "full-disk":
      (process.getuid?.() !== 0 || findProgram("unshare") === null) &&
      "it mounts a file system, which needs root and the program unshare",
  };
  return new Set(
    [...wanted].filter((name) => {
      if (obstacles[name]) say(`SKIPPED ${name}: ${obstacles[name]}`);
      return !obstacles[name];
    }),
  );
}
