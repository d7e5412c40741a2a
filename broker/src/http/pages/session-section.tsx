import type { EnvironmentRecord } from "@crowdai/shared";
import { plural, shownCount, shownNumber } from "./format.ts";
import { Scroll } from "./scrollable.tsx";
import { UntrustedText } from "./untrusted-text.tsx";

/** Decimals of a return, which no challenge sets. */
const PRECISION = 3;
/** Maximum number of episodes on a page; the step log has all. */
const MAX_EPISODES = 100;

const AGENTS = {
  code: "The agent's code played in a box",
  remote: "A remote agent played",
  replay: "The stored steps were played again",
};

/** How an agent played: its episodes, and what steps took. For its participant and the organizers. */
export function SessionSection({ environment }: { environment: EnvironmentRecord }) {
  const { agent, grader, episodes, steps, agent_ms, environment_ms, invalid_actions, resumed } = environment;
  const hasSeeds = episodes.some(({ seed }) => seed !== undefined);
  return (
    <section aria-labelledby="episodes">
      <h2 id="episodes">{plural(episodes.length, "episode")}</h2>
      <p>
        {AGENTS[agent]}: {plural(steps, "step")} on <UntrustedText text={grader} most={100} />.
      </p>
      <Scroll label="Episodes">
        <table>
          <thead>
            <tr>
              <th scope="col">Episode</th>
              <th scope="col">Ended</th>
              <th scope="col" class="number">
                Steps
              </th>
              <th scope="col" class="number">
                Return
              </th>
              {hasSeeds ? (
                <th scope="col" class="number">
                  Seed
                </th>
              ) : null}
            </tr>
          </thead>
          <tbody>
            {episodes.slice(0, MAX_EPISODES).map((one) => (
              <tr>
                <th scope="row">{one.episode}</th>
                <td>{one.ended}</td>
                <td class="number">{shownCount(one.steps)}</td>
                <td class="number">{shownNumber(one.return, PRECISION)}</td>
                {hasSeeds ? <td class="number">{one.seed}</td> : null}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <ul class="plain note">
        {episodes.length > MAX_EPISODES ? (
          <li>{plural(episodes.length - MAX_EPISODES, "more episode")} in the step log</li>
        ) : null}
        <li>Agent: {shownTimes(agent_ms)} a step</li>
        <li>Environment: {shownTimes(environment_ms)} a step</li>
        {invalid_actions > 0 ? <li>{plural(invalid_actions, "invalid action")}</li> : null}
        {resumed > 0 ? <li>Continued {plural(resumed, "time")} at another grader</li> : null}
      </ul>
    </section>
  );
}

const shownTimes = ({ p50, p99 }: EnvironmentRecord["agent_ms"]) =>
  `${p50.toFixed(1)} ms (median), ${p99.toFixed(1)} ms (99th percentile)`;
