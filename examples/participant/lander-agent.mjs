// A remote agent in JavaScript: `npx crowdai run node lander-agent.mjs -c lander`.
import { Challenge } from "crowdai";

const challenge = await Challenge.open();
const environment = await challenge.environment();
let observation = await environment.reset();
while (observation !== null) {
  const [, y, , vy] = observation;
  const step = await environment.step([vy < -1 - 0.1 * y ? 1 : 0, 0]);
  observation = step.terminated || step.truncated ? await environment.reset() : step.observation;
}
const grade = await environment.submit();
console.log(`${grade.score}, rank ${grade.rank}`);
await challenge.close();
