// Submits from inside a program, with the key and the broker that `crowdai login` or the environment set.
import { Challenge, CrowdaiError } from "crowdai";

const challenge = await Challenge.open("json-persistent");
try {
  // A function of the evaluator, called for several values at once: no slot is used.
  const [first] = await challenge.evaluate([{ three: 3 }, { seven: 8 }], { function: "evaluate" });
  console.log("is three 3?", first?.data);

  const grade = await challenge.submit(
    { zero: 0, one: 1, two: 2, three: 3, five: 5, seven: 7 },
    {
      message: "small numbers",
      onProgress: (progress) => console.error(progress.stage),
      signal: AbortSignal.timeout(60_000),
    },
  );
  console.log(`score ${grade.score}, rank ${grade.rank}: ${grade.grading_message}`);
} catch (error) {
  if (!(error instanceof CrowdaiError)) throw error;
  console.error(`${error.code}: ${error.message}\n${error.next}`);
  process.exitCode = error.exitCode;
} finally {
  await challenge.close();
}
