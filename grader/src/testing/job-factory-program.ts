// A job factory of 2017: takes jobs from <namespace>::enqueue_job and pushes job states to the list that each
// job names. Run as: job-factory-program.ts <redis url> <namespace> <LPUSH or RPUSH> <response_type or
// job_state>
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";

const [url, namespace, push, style] = process.argv.slice(2) as [string, string, "LPUSH" | "RPUSH", string];
const redis = new Redis(url);

interface FactoryJob {
  broker_response_channel: string;
  function_name: string;
  data: { do?: string; x: number; hold?: string };
  data_sequence_no: number;
  extra_params: { api_key: string };
}

for (;;) {
  const [, text] = (await redis.brpop(`${namespace}::enqueue_job`, 0)) as [string, string];
  const job = JSON.parse(text) as FactoryJob;
  // Like those of 2017, it requires a key, but does not check it.
  if (typeof job.extra_params.api_key !== "string") throw new Error("no api_key");
  const say = async (state: string, message: string, data: unknown) => {
    const named =
      style === "job_state"
        ? { job_state: `crowdai.job_state.${state}` }
        : { response_type: `CrowdAI.Event.Job.${state}` };
    const payload = JSON.stringify({
      ...named,
      ...{ job_id: "7", data_sequence_no: job.data_sequence_no, message, data },
    });
    await redis.call(push, job.broker_response_channel, payload);
  };
  const { do: action = "score", x, hold } = job.data;
  await redis.incr(`${namespace}::taken`);
  await say("RUNNING", "", {});
  if (hold) while (!(await redis.exists(hold))) await sleep(10);
  if (action === "leave") process.exit(0);
  if (action === "rubbish") await redis.call(push, job.broker_response_channel, "no JSON");
  if (action === "fail") await say("ERROR", "row 17: unknown id", {});
  if (action === "give up") await say("TIMEOUT", "too long", {});
  if (action === "withhold") {
    await say("INFO", "the scores are withheld", {});
    await say("COMPLETE", "", {});
  }
  if (action !== "score") continue;
  for (const percent of [25, 50, 75]) await say("PROGRESS_UPDATE", "", { percent_complete: percent });
  await say("INFO", `asked for ${job.function_name}`, {});
  await say("COMPLETE", "done", { score: x * 2, secondary_score: -x });
}
