import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunningBroker } from "../lib/running-broker.ts";
import {
  type Classifier,
  type Flower,
  gaussianNaiveBayes,
  nearestNeighbor,
  readFlowers,
} from "./classifier.ts";
import { register } from "./participant.ts";
import { crowdai, say } from "./prompt.ts";

const SEPALS = [0, 1];
const PETALS = [2, 3];

/**
 * Plays two participants, printing each step. Resolves to the settings needed to continue as the first of
 * them.
 */
export async function participate(
  broker: RunningBroker,
  folder: string,
): Promise<{ key: string; submit: string }> {
  const ada = await register(broker, folder, "ada");
  await crowdai(ada.shell, ["challenge", "iris"]);
  await crowdai(ada.shell, ["data", "iris"]);
  const train = readFlowers(join(ada.shell.cwd, "iris/train.csv"));
  const test = readFlowers(join(ada.shell.cwd, "iris/test.csv"));

  say(`A first try, as a JSON value: the nearest of ${train.length} known flowers, by its sepals alone.`);
  const value = JSON.stringify({ predictions: predict(nearestNeighbor(train, SEPALS), test) });
  writeFileSync(join(ada.shell.cwd, "sepals.json"), value);
  await crowdai(ada.shell, ["submit", "-c", "iris", "--json", value], {
    shown: 'crowdai submit -c iris --json "$(cat sepals.json)"',
  });

  say("Then a file: Gaussian naive Bayes on all four measurements.");
  const predictions = join(ada.shell.cwd, "predictions.csv");
  writeFileSync(predictions, toCsv(predict(gaussianNaiveBayes(train), test)));
  await crowdai(ada.shell, ["submit", "predictions.csv", "-c", "iris", "-m", "Gaussian naive Bayes"]);

  say("A file with a mistake in it is refused, with the reason.");
  const wrong = predict(gaussianNaiveBayes(train), test).with(16, { id: test[16]!.id, species: "sibirica" });
  writeFileSync(join(ada.shell.cwd, "wrong.csv"), toCsv(wrong));
  await crowdai(ada.shell, ["submit", "wrong.csv", "-c", "iris"], { expected: 6 });

  const grace = await register(broker, folder, "grace");
  writeFileSync(join(grace.shell.cwd, "petals.csv"), toCsv(predict(nearestNeighbor(train, PETALS), test)));
  await crowdai(grace.shell, ["submit", "petals.csv", "-c", "iris", "-m", "Nearest neighbor by petals"]);
  await crowdai(grace.shell, ["leaderboard", "iris"]);
  return { key: ada.key, submit: predictions };
}

function predict(classify: Classifier, flowers: readonly Flower[]): { id: string; species: string }[] {
  return flowers.map(({ id, features }) => ({ id, species: classify(features) }));
}

function toCsv(predictions: readonly { id: string; species: string }[]): string {
  return `id,species\n${predictions.map(({ id, species }) => `${id},${species}\n`).join("")}`;
}
