import type { PublicChallenge } from "@crowdai/shared";
import { Ways } from "./how-to-submit.tsx";

/**
 * The commands to let an agent play, for this challenge and this broker: as code, on one's own machine, or
 * unchanged over HTTP.
 */
export function HowToConnect({ challenge, broker }: { challenge: PublicChallenge; broker: string }) {
  const { id, environment, data } = challenge;
  const { agents, env_id } = environment!;
  const login = [
    `npx crowdai login --broker ${broker}`,
    ...(data.length > 0 ? [`npx crowdai data ${id} --broker ${broker}`] : []),
  ];
  const remote = [
    {
      title: "Agent on your machine",
      text: [...login, `npx crowdai run -c ${id} --broker ${broker} python3 agent.py`].join("\n"),
    },
    {
      title: "JavaScript library",
      text: [
        `import { Challenge } from "crowdai";`,
        "",
        `const challenge = await Challenge.open("${id}", {`,
        `  broker: "${broker}",`,
        "});",
        "const env = await challenge.environment();",
        "for (let seen = await env.reset(); seen !== null; seen = await env.reset()) {",
        "  for (let over = false; !over; ) {",
        "    const step = await env.step(act(seen));",
        "    seen = step.observation;",
        "    over = step.terminated || step.truncated;",
        "  }",
        "}",
        "console.log((await env.submit()).score);",
        "await challenge.close();",
      ].join("\n"),
    },
    {
      title: "Client of gym-http-api or osim-rl",
      text: [
        `client = Client("${new URL(broker).origin}")`,
        `seen = client.env_create("<your API key>", env_id="${env_id ?? id}")`,
      ].join("\n"),
    },
  ];
  const code = [
    {
      title: "Agent as code",
      text: [...login, `npx crowdai submit --code -c ${id} --broker ${broker}`].join("\n"),
    },
  ];
  const ways = [...(agents.includes("remote") ? remote : []), ...(agents.includes("code") ? code : [])];
  return <Ways ways={ways} what="how to connect an agent" />;
}
