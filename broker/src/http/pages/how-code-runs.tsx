import type { PublicChallenge } from "@crowdai/shared";
import { STAGE_TITLES } from "../../domain/submissions/stage-verdict.ts";
import { plural, shownCount } from "./format.ts";
import { UntrustedText } from "./untrusted-text.tsx";

type Run = NonNullable<PublicChallenge["run"]>;

const LOGS = {
  none: "You see what your build prints, and nothing of the other runs.",
  sample: "You see what your program prints on the sample, and nothing of the run on the private input.",
  all: "You see what your program prints in every run.",
};

/** How submitted code is run: its stages, what the program finds, and its limits. */
export function HowCodeRuns({ run }: { run: Run }) {
  const { command, image, output, logs, limits } = run;
  const stages = (["build", "sample", "run", "evaluate"] as const).filter(
    (stage) => (stage !== "build" && stage !== "sample") || run[stage],
  );
  return (
    <section aria-labelledby="run">
      <h2 id="run">How your code is run</h2>
      <p>
        Your code is run on private input, in a box without a network.
        {run.sample ? " It is run on a sample first; a failure there costs no slot." : null}
      </p>
      <dl class="facts">
        <Fact name="Command">
          {command ? (
            <code>
              <UntrustedText text={shown(command)} most={500} />
            </code>
          ) : (
            <>
              the <code>code.command</code> of your <code>crowdai.json</code>
            </>
          )}
        </Fact>
        <Fact name="Stages">{stages.map((stage) => STAGE_TITLES[stage].toLowerCase()).join(", ")}</Fact>
        <Fact name="Finds">
          your code in <code>/code</code>
          {output === "lines" ? (
            ", a JSON value per line on stdin"
          ) : (
            <>
              , the input in <code>/input</code>
            </>
          )}
        </Fact>
        <Fact name="Output">
          {output === "lines" ? (
            "a line on stdout for each line of input"
          ) : (
            <code>
              <UntrustedText text={`/out/${output}`} most={300} />
            </code>
          )}
        </Fact>
        <Fact name="Image">
          {image === "host" ? "the grader's machine" : <UntrustedText text={image} most={100} />}
        </Fact>
        {limitRows(run.build, limits).map(([name, value]) => (
          <Fact name={name}>{value}</Fact>
        ))}
      </dl>
      <p class="note">{LOGS[logs]}</p>
    </section>
  );
}

/** Returns the limits that are set, in words. */
function limitRows(build: boolean, limits: Run["limits"]): [name: string, value: string][] {
  const rows: [string, number | null | undefined, (limit: number) => string][] = [
    ["Time", limits.wall_seconds, (n) => `${plural(n, "second")} for each run`],
    ["Processor time", limits.cpu_seconds, (n) => plural(n, "second")],
    ["Build time", build ? limits.build_seconds : null, (n) => plural(n, "second")],
    ["Memory", limits.memory_mb, (n) => `${shownCount(n)} MB, with the files in /tmp and /out`],
    ["Processes", limits.processes, (n) => shownCount(n)],
    ["Files in /tmp", limits.scratch_mb, (n) => `${shownCount(n)} MB`],
    ["Output size", limits.output_bytes, (n) => plural(n, "byte")],
  ];
  return rows.flatMap(([name, limit, text]) => (typeof limit === "number" ? [[name, text(limit)]] : []));
}

function Fact({ name, children }: { name: string; children?: unknown }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children as string}</dd>
    </div>
  );
}

/** Returns a command as one types it in a shell. */
const shown = (command: readonly string[]): string =>
  command
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(" ");
