import { readFileSync } from "node:fs";

/** A row of train.csv or test.csv; `species` is empty in the latter. */
export interface Flower {
  id: string;
  features: number[];
  species: string;
}

export type Classifier = (features: readonly number[]) => string;

/** Reads train.csv or test.csv: an id, four measurements and, in the former, the species. */
export function readFlowers(file: string): Flower[] {
  const [, ...lines] = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => {
    const [id, a, b, c, d, species] = line.split(",");
    return { id: id!, features: [a, b, c, d].map(Number), species: species ?? "" };
  });
}

/**
 * Gaussian naive Bayes: the species under which the measurements are likeliest, each taken as normally
 * distributed.
 */
export function gaussianNaiveBayes(train: readonly Flower[]): Classifier {
  const models = [...Map.groupBy(train, ({ species }) => species)].map(([species, flowers]) => ({
    species,
    prior: Math.log(flowers.length / train.length),
    normals: flowers[0]!.features.map((_, i) => fitNormal(flowers.map(({ features }) => features[i]!))),
  }));
  return (features) => {
    const scored = models.map(({ species, prior, normals }) => ({
      species,
      likelihood: normals.reduce((sum, { mean, variance }, i) => {
        const off = features[i]! - mean;
        return sum - (off * off) / (2 * variance) - Math.log(variance) / 2;
      }, prior),
    }));
    return scored.reduce((best, next) => (next.likelihood > best.likelihood ? next : best)).species;
  };
}

/** The species of the nearest training flower, by the measurements at `columns` alone. */
export function nearestNeighbor(train: readonly Flower[], columns: readonly number[]): Classifier {
  return (features) => {
    const distance = (flower: Flower) =>
      columns.reduce((sum, i) => sum + (flower.features[i]! - features[i]!) ** 2, 0);
    return train.reduce((best, next) => (distance(next) < distance(best) ? next : best)).species;
  };
}

function fitNormal(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, variance };
}
