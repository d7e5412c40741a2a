import type { SeededRandom } from "./seeded-random.ts";

export const PARTS = ["broker", "grader", "redis", "postgres", "swift"] as const;
export type Part = (typeof PARTS)[number];

/** An action on parts at one instant, undone after a while. */
export interface Fault {
  /** Milliseconds from the first submission on. */
  at: number;
  kind:
    | "kill"
    | "freeze"
    | "restart"
    | "flush"
    | "cut"
    | "read-only"
    | "starve"
    | "failover"
    | "fill"
    | "upgrade";
  part: Part | "wire";
  /** Which of several brokers or graders. */
  index: number;
  /** How long it stays dead, or frozen. */
  holdMs: number;
}

/** One kill in so many takes a second part with it in the same instant. */
const TOGETHER = 10;
/** One in so many takes a broker, Redis and all graders; and one in as many everything. */
const ALL_TOGETHER = 50;
/**
 * For so many kills there is one failover and one full disk, where a fleet can have these; at least two each.
 */
const RARE = 10;
/** How long a master stays dead until its replica has certainly replaced it. */
const FAILOVER_MS = 5000;
/** In which part of the time brokers and graders of an older release are replaced, one after the other. */
const UPGRADES = { broker: [0.2, 0.6], grader: [0.6, 0.9] } as const;
const OTHERS = ["freeze", "freeze", "restart", "flush", "cut", "read-only", "starve"] as const;

/**
 * A plan of `kills` processes killed with -9, and half as many other faults, spread over a time. The same
 * chance and numbers give the same plan.
 */
export function planFaults(
  chance: SeededRandom,
  {
    kills,
    ms,
    counts,
    smallDisk = null,
    upgrades = null,
  }: {
    kills: number;
    ms: number;
    counts: Readonly<Record<Part, number>>;
    /** Which grader has a disk that can be filled. */
    smallDisk?: number | null;
    /** How many brokers and graders begin as an older release. */
    upgrades?: Readonly<Record<"broker" | "grader", number>> | null;
  },
): Fault[] {
  const present = PARTS.filter((part) => counts[part] > 0);
  // Brokers and graders are most of a fleet, and most of what dies.
  const weighted = present.flatMap((part) =>
    part === "broker" || part === "grader" ? [part, part, part] : [part],
  );
  const one = (part: Part, kind: Fault["kind"], at: number, longest: number): Fault => ({
    at,
    kind,
    part,
    index: sparedOlder(part, chance.between(0, counts[part]), at),
    holdMs: chance.between(0, longest),
  });
  // An older broker that ends does not start again once a newer one has migrated the records. One of them is
  // to live beside the newer.
  const sparedOlder = (part: Part, index: number, at: number) => {
    const isSpared = part === "broker" && index > 0 && index + 1 === upgrades?.broker;
    return isSpared && at >= ms * UPGRADES.broker[0] && at < ms * UPGRADES.broker[1] ? 0 : index;
  };
  const faults: Fault[] = [];
  const killed = () => faults.filter(({ kind }) => kind === "kill").length;
  while (killed() < kills) {
    const at = chance.between(0, ms);
    const left = kills - killed();
    const everything = present.flatMap((part) =>
      Array.from({ length: counts[part] }, (_, index) => ({ part, index })),
    );
    const whole = chance.happens(1 / ALL_TOGETHER);
    const oneBroker = chance.between(0, counts.broker);
    const core = everything.filter(
      ({ part, index }) =>
        part === "redis" || part === "grader" || (part === "broker" && index === oneBroker),
    );
    const together = whole ? everything : chance.happens(1 / ALL_TOGETHER) ? core : [];
    if (together.length > 0 && left >= together.length)
      for (const { part, index } of together) faults.push({ ...one(part, "kill", at, 1500), index });
    else {
      const first = one(chance.pick(weighted), "kill", at, 1500);
      faults.push(first);
      const others = present.filter((part) => part !== first.part);
      if (left > 1 && others.length > 0 && chance.happens(1 / TOGETHER))
        faults.push(one(chance.pick(others), "kill", at, 1500));
    }
  }
  for (let i = 0; i < kills / 2; i++) {
    const at = chance.between(0, ms);
    const other = chance.pick(OTHERS);
    if (other === "freeze") faults.push(one(chance.pick(weighted), "freeze", at, 12_000));
    else if (other === "restart") faults.push(one(chance.pick(weighted), "restart", at, 1500));
    else if (other === "starve") faults.push(one("grader", "starve", at, 6000));
    else if (other === "read-only" && counts.postgres > 0)
      faults.push(one("postgres", "read-only", at, 6000));
    else if (other === "flush" && counts.redis > 0) faults.push(one("redis", "flush", at, 1));
    else {
      const part = chance.pick([
        "wire",
        ...present.filter((part) => part === "redis" || part === "postgres"),
      ] as const);
      const holdMs = part === "wire" && chance.happens(0.5) ? chance.between(0, 5000) : 0;
      faults.push({ at, kind: "cut", part, index: 0, holdMs });
    }
  }
  for (let i = 0; i < Math.max(2, kills / RARE); i++) {
    const at = chance.between(0, ms);
    if (counts.redis > 1) faults.push({ ...one("redis", "failover", at, 3000), holdMs: FAILOVER_MS });
    if (smallDisk !== null)
      faults.push({ ...one("grader", "fill", chance.between(0, ms), 10_000), index: smallDisk });
  }
  for (const part of ["broker", "grader"] as const)
    for (let index = 0; index < (upgrades?.[part] ?? 0); index++) {
      const [from, to] = UPGRADES[part];
      const at = Math.round(ms * (from + ((to - from) * index) / upgrades![part]));
      faults.push({ at, kind: "upgrade", part, index, holdMs: 0 });
    }
  return faults.sort((a, b) => a.at - b.at);
}

/** Counts of a plan, or of a part of it, as `12 grader kill`. */
export function countFaults(faults: readonly Fault[]): [name: string, count: number][] {
  const counts = new Map<string, number>();
  for (const { kind, part } of faults)
    counts.set(`${part} ${kind}`, (counts.get(`${part} ${kind}`) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a.localeCompare(b));
}
