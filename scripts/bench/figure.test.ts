import { describe, expect, it } from "vitest";
import { median, quantile } from "./figure.ts";

describe("quantile", () => {
  const samples = Array.from({ length: 100 }, (_, i) => 100 - i);

  it("takes the sample at the nearest rank, whatever order they come in", () => {
    expect(quantile(samples, 0.99)).toBe(99);
    expect(quantile(samples, 1)).toBe(100);
    expect(median(samples)).toBe(50);
  });

  it("takes the only sample there is", () => {
    expect(quantile([7], 0.99)).toBe(7);
  });
});
