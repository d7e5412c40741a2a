import { chmodSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram, SMALL_LIMITS } from "./run-program.ts";
import type { BoxLimits, Sandbox } from "./sandbox.ts";

/**
 * How many times slower than usual this machine is, where it is not a machine but a program
 * (`npm run boxes -- --v2`).
 */
export const SLOWNESS = Number(process.env.CROWDAI_TEST_SLOWNESS ?? 1);
/** How many boxes run at the same time: many only wait. */
const PARALLEL = SLOWNESS > 1 ? 2 : 8;
/** How many programs share a box, each in a process of its own, where that changes nothing. */
const TOGETHER = 30;
/** These run after each other, some for seconds where system calls are slow. */
const TOGETHER_MS = 300_000 * SLOWNESS;
/** How long each of them may take. */
const PATIENCE_SECONDS = 40 * SLOWNESS;
/** The time that a box may take beyond the time limit of its program. */
const GRACE_MS = 10_000 * SLOWNESS;
/** Limits of time for programs that end for another reason. */
const AMPLE_LIMITS = { wallMs: SMALL_LIMITS.wallMs! * SLOWNESS, cpuMs: SMALL_LIMITS.cpuMs! * SLOWNESS };
const FOLDER = join(import.meta.dirname, "abuse");
const HELPERS = ["attack.py", "together.py"];

export const HOSTILE_PROGRAMS = readdirSync(FOLDER).filter(
  (name) => name.endsWith(".py") && !HELPERS.includes(name),
);

/** Checks of the files that some programs leave in /out for the grader. */
const FILES: Readonly<Record<string, (files: string[]) => void>> = {
  "links_as_output.py": (files) => expect(files).toEqual(["file", "hard"]),
  "escape_link_in_output.py": (files) => expect(files).toEqual([]),
  "output_swapped.py": (files) =>
    expect(["", "swapped", "plain plain,swapped"].join()).toContain(files.join()),
  "output_many_files.py": (files) => expect(files).toHaveLength(1500),
  "output_multiplied.py": (files) => expect(files.length).toBeLessThan(20),
  "output_folder_for_file.py": (files) => expect(files).toEqual(["predictions.csv"]),
  "odd_names.py": (files) => expect(files).toContain("-rf"),
  "helpers_replaced.py": (files) => expect(files).toContain("tar"),
};

/** A verdict of a kind of box that differs from the first line of a program, though nothing gets out. */
export interface Difference {
  why: string;
  /** One of these instead of the program's verdict. */
  verdict?: string | readonly string[];
  /** Lines that the program prints, each after "ESCAPED: ". */
  works?: RegExp;
  limits?: Partial<BoxLimits>;
}

interface Program {
  name: string;
  /** One of these. */
  verdicts: readonly string[];
  works: RegExp | null;
  limits: Partial<BoxLimits> & { wallMs: number };
  /** Whether it can share a box with others. */
  isShared: boolean;
}

/** Reads the expected verdict, or the verdicts with "or" between, and the limits in a program's head. */
function readProgram(name: string, difference: Difference | undefined): Program {
  const text = readFileSync(join(FOLDER, name), "utf8");
  const verdict = text.match(/^# Verdict: (.+)$/m)?.[1];
  if (!verdict) throw new Error(`${name} does not say its verdict.`);
  const limits: Partial<BoxLimits> & typeof AMPLE_LIMITS = { ...AMPLE_LIMITS };
  const fields = { wall: "wallMs", cpu: "cpuMs", memory: "memoryBytes", scratch: "scratchBytes" } as const;
  for (const [, field, value] of text.match(/^# Limits: (.+)$/m)?.[1]?.matchAll(/(\w+) (\d+)/g) ?? [])
    limits[fields[field as keyof typeof fields]] = Number(value);
  Object.assign(limits, difference?.limits);
  const verdicts = [difference?.verdict ?? verdict.split(" or ")].flat();
  const isShared = verdicts.join() === "exit 0" && !/^# (Limits|Alone):/m.test(text) && !difference?.limits;
  return { name, verdicts, works: difference?.works ?? null, limits, isShared };
}

interface Result {
  /** As in a program's head. */
  verdict: string;
  stdout: string;
  stderr: string;
  wallMs: number;
  files: string[];
}

/** Runs hostile programs in boxes: each ends as its first line says, and none gets out. */
export function describeHostilePrograms(
  kind: string,
  sandbox: Sandbox | null,
  names: readonly string[] = HOSTILE_PROGRAMS,
  differences: Readonly<Record<string, Difference>> = {},
  /** Whether each program has a box of its own. */
  areAlone = process.env.CROWDAI_BOX_PER_PROGRAM === "1",
): void {
  describe.runIf(sandbox)(`a hostile program in a box of ${kind}`, () => {
    const programs = names.map((name) => readProgram(name, differences[name]));
    const results = new Map(names.map((name) => [name, Promise.withResolvers<Result>()]));
    let folder: string;
    const word = "CROWDAI_ABUSE_CANARY";
    const abstract = `crowdai-abuse-${process.pid}`;
    const listener = createServer();
    const abstractListener = createServer();

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "crowdai-abuse-"));
      const canary = join(folder, "canary");
      writeFileSync(canary, "secret");
      process.env[word] = "secret";
      await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
      await new Promise<void>((resolve) =>
        abstractListener.listen(`\0${abstract}`, resolve).once("error", () => resolve()),
      );
      const { port } = listener.address() as { port: number };
      const targets = [String(port), canary, word, abstract, String(process.pid)];

      async function runAlone({ name, limits }: Program): Promise<void> {
        const into = mkdtempSync(join(folder, "out-"));
        const end = await runProgram(sandbox!.start, ["/usr/bin/python3", `/abuse/${name}`, ...targets], {
          ...{ readable: { "/abuse": FOLDER }, collectInto: into, limits },
        });
        expectPlainFiles(into);
        results.get(name)!.resolve({
          verdict: end.cause === "exit" ? `exit ${end.code}` : end.cause,
          ...{ stdout: end.stdout, stderr: end.stderr + end.detail, wallMs: end.usage.wallMs },
          files: readdirSync(into).sort(),
        });
        // Folders without rights would stay.
        for (const name of readdirSync(into)) chmodSync(join(into, name), 0o700);
      }

      async function runTogether(group: readonly Program[]): Promise<void> {
        const list = group.map(({ name }) => name).join();
        const command = [
          "/usr/bin/python3",
          "/abuse/together.py",
          list,
          String(PATIENCE_SECONDS),
          ...targets,
        ] as const;
        const limits = { wallMs: TOGETHER_MS, cpuMs: TOGETHER_MS, memoryBytes: 2 ** 27 };
        const end = await runProgram(sandbox!.start, command, { readable: { "/abuse": FOLDER }, limits });
        for (const line of end.stdout.split("\n").filter(Boolean)) {
          const { name, code, stdout, stderr } = JSON.parse(line);
          results.get(name)!.resolve({ verdict: `exit ${code}`, stdout, stderr, wallMs: 0, files: [] });
        }
        const missing = new Error(`The box ended before this program did: ${end.cause}, ${end.stderr}`);
        for (const { name } of group) results.get(name)!.reject(missing);
      }

      const shared = areAlone ? [] : programs.filter(({ isShared }) => isShared);
      const jobs = programs
        .filter((one) => !shared.includes(one))
        .map((one) => ({ group: [one], run: () => runAlone(one) }));
      for (let at = 0; at < shared.length; at += TOGETHER) {
        const group = shared.slice(at, at + TOGETHER);
        jobs.unshift({ group, run: () => runTogether(group) });
      }
      const work = async () => {
        for (let job = jobs.shift(); job; job = jobs.shift()) {
          const { group } = job;
          await job.run().catch((error) => {
            for (const { name } of group) results.get(name)!.reject(error);
          });
        }
      };
      for (const { promise } of results.values()) promise.catch(() => {});
      for (let at = 0; at < PARALLEL; at++) void work();
    });

    afterAll(async () => {
      await Promise.allSettled([...results.values()].map(({ promise }) => promise));
      listener.close();
      abstractListener.close();
      delete process.env[word];
      rmSync(folder, { recursive: true, force: true });
    });

    const titles = programs.map((one) => [one.name, one.verdicts.join(" or "), one] as const);
    it.each(titles)("%s: %s", async (name, _, { verdicts, works, limits }) => {
      const { verdict, stdout, stderr, wallMs, files } = await results.get(name)!.promise;
      const escaped = stdout.split("\n").filter((line) => line.includes("ESCAPED"));
      expect(escaped.filter((line) => !works?.test(line.replace("ESCAPED: ", "")))).toEqual([]);
      expect(verdicts, stderr).toContain(verdict);
      expect(verdict === "exit 0" ? stderr : "").toBe("");
      expect(wallMs).toBeLessThan(limits.wallMs + GRACE_MS);
      FILES[name]?.(files);
    });
  });
}

/** Nothing but regular files and folders comes out of a box, with no rights for others. */
function expectPlainFiles(folder: string): void {
  for (const path of readdirSync(folder, { recursive: true, encoding: "buffer" })) {
    const found = lstatSync(Buffer.concat([Buffer.from(`${folder}/`), path]));
    if (!found.isFile() && !found.isDirectory()) throw new Error(`${path} is not a regular file.`);
    if ((found.mode & 0o7077) !== 0) throw new Error(`${path} has mode ${found.mode.toString(8)}.`);
  }
}
