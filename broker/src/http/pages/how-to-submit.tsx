import type { PublicChallenge } from "@crowdai/shared";
import { Commands } from "./scrollable.tsx";

/** The commands to submit, for this challenge and this broker. */
export function HowToSubmit({ challenge, broker }: { challenge: PublicChallenge; broker: string }) {
  const { id, accepts, run } = challenge;
  const extension = accepts.file?.extensions[0] ?? ".csv";
  const file = `predictions${extension}`;
  const given = run ? "--code" : accepts.file ? file : `--json '{"predictions": []}'`;
  const value = accepts.json ? "predictions" : `{ file: "${file}" }`;
  const submitted = run ? `submitCode({ code: "." })` : `submit(${value})`;
  const ways = [
    {
      title: "Terminal",
      text: [
        `npx crowdai login --broker ${broker}`,
        ...(challenge.data.length > 0 ? [`npx crowdai data ${id} --broker ${broker}`] : []),
        `npx crowdai submit ${given} -c ${id} --broker ${broker}`,
      ].join("\n"),
    },
    {
      title: "JavaScript library",
      text: [
        `import { Challenge } from "crowdai";`,
        "",
        `const challenge = await Challenge.open("${id}", {`,
        `  broker: "${broker}",`,
        "});",
        `const grade = await challenge.${submitted};`,
        "console.log(grade.score, grade.rank);",
        "await challenge.close();",
      ].join("\n"),
    },
    {
      title: "CI job",
      text: [
        `- run: npx crowdai submit ${given} -c ${id}`,
        "  env:",
        `    CROWDAI_BROKER: ${broker}`,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how CI names a secret
        "    CROWDAI_API_KEY: ${{ secrets.CROWDAI_API_KEY }}",
      ].join("\n"),
    },
  ];
  return <Ways ways={ways} what="how to submit" />;
}

/** Ways to take part, the first of which is open. */
export function Ways({ ways, what }: { ways: readonly { title: string; text: string }[]; what: string }) {
  return (
    <div class="ways">
      {ways.map(({ title, text }, index) => (
        <details name="way" open={index === 0}>
          <summary>{title}</summary>
          <Commands label={`${title}: ${what}`} text={text} />
        </details>
      ))}
      <p class="note">Get your API key from the organizer.</p>
    </div>
  );
}
