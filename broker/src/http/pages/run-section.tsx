import { RUN_STAGES, type RunRecord, type RunStage, type SubmissionEvent } from "@crowdai/shared";
import { STAGE_TITLES, stageVerdict } from "../../domain/submissions/stage-verdict.ts";
import { shownSize, truncateText } from "./format.ts";
import { Scroll } from "./scrollable.tsx";
import { UntrustedText } from "./untrusted-text.tsx";

/** Maximum characters of one stream on a page; graders send at most 64 KB. */
const MAX_LOG = 64 * 1024;

type StageRecord = RunRecord["stages"][number];

/**
 * How a submission's code was run: its stages, and what they printed. For its participant and the organizers.
 */
export function RunSection({ run }: { run: RunRecord }) {
  const { stages, sandbox, enforced, grader, command } = run;
  return (
    <section aria-labelledby="run">
      <h2 id="run">Run</h2>
      <p>
        <code>
          <UntrustedText text={command.join(" ")} most={500} />
        </code>
      </p>
      <Scroll label="Stages">
        <table>
          <thead>
            <tr>
              <th scope="col">Stage</th>
              <th scope="col">Verdict</th>
              <th scope="col" class="number">
                Time
              </th>
              <th scope="col" class="number">
                Processor
              </th>
              <th scope="col" class="number">
                Memory
              </th>
              <th scope="col" class="number">
                Output
              </th>
            </tr>
          </thead>
          <tbody>
            {stages.map((one) => (
              <tr>
                <th scope="row">{STAGE_TITLES[one.stage]}</th>
                <td>{stageVerdict(one)}</td>
                <td class="number">{one.wall_seconds.toFixed(1)} s</td>
                <td class="number">{one.cpu_seconds.toFixed(1)} s</td>
                <td class="number">{shownSize(one.peak_memory_bytes)}</td>
                <td class="number">{shownSize(one.output_bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {stages.map((one) => (
        <>
          <Log stage={one} stream="stdout" />
          <Log stage={one} stream="stderr" />
        </>
      ))}
      <details>
        <summary>Limits in force</summary>
        <ul class="plain note">
          {enforced.map((limit) => (
            <li>
              <UntrustedText text={limit} most={300} />
            </li>
          ))}
          <li>
            <UntrustedText text={sandbox} most={100} /> on <UntrustedText text={grader} most={100} />
          </li>
        </ul>
      </details>
    </section>
  );
}

function Log({ stage, stream }: { stage: StageRecord; stream: "stdout" | "stderr" }) {
  const text = stage[stream];
  if (!text) return null;
  const label = `${STAGE_TITLES[stage.stage]}: ${stream}`;
  return (
    <details open={isFailed(stage)}>
      <summary>{label}</summary>
      <Scroll label={label}>
        <pre class="log">{truncateText(text, MAX_LOG)}</pre>
      </Scroll>
    </details>
  );
}

const isFailed = ({ ended, exit_code }: StageRecord) => ended !== "exit" || exit_code !== 0;

/** The stages of a running submission: those that are over, the current one, and those to come. */
export function StageList({ events, planned }: { events: SubmissionEvent[]; planned: readonly RunStage[] }) {
  const started = events.findLastIndex(({ type }) => type === "grading");
  const reached = events
    .slice(Math.max(0, started))
    .flatMap(({ type, data }) => RUN_STAGES.filter((stage) => type === "progress" && data.stage === stage));
  const current = reached.at(-1);
  if (current === undefined) return null;
  const shown = RUN_STAGES.filter((stage) => planned.includes(stage) || reached.includes(stage));
  const at = shown.indexOf(current);
  return (
    <ol class="stages">
      {shown.map((stage, index) => (
        <li aria-current={index === at ? "step" : undefined}>
          {STAGE_TITLES[stage]}{" "}
          <span class={`tag ${index < at ? "graded" : index === at ? "grading" : ""}`}>
            {index < at ? "done" : index === at ? "running" : "to come"}
          </span>
        </li>
      ))}
    </ol>
  );
}
