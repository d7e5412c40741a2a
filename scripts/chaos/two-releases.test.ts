import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { readConditions, readOlderRelease } from "./conditions.ts";
import { planFaults } from "./fault-plan.ts";
import { prepareOlderRelease } from "./older-release.ts";
import { createSeededRandom } from "./seeded-random.ts";

it("`--with` takes an older release by its name", () => {
  expect([...readConditions("sentinel,two-releases=v1.0.0")]).toEqual(["sentinel", "two-releases"]);
  expect(["two-releases=v1.0.0", "two-releases", "all"].map(readOlderRelease)).toEqual([
    "v1.0.0",
    null,
    null,
  ]);
});

it("brokers are replaced before graders, and the last one lives beside the first until then", () => {
  const counts = { broker: 3, grader: 2, redis: 1, postgres: 1, swift: 0 };
  const plan = planFaults(createSeededRandom(1), {
    ...{ kills: 300, ms: 1000, counts, upgrades: { broker: 3, grader: 2 } },
  });
  const upgrades = plan.filter(({ kind }) => kind === "upgrade");
  expect(upgrades.map(({ part, index }) => `${part} ${index}`)).toEqual([
    ...["broker 0", "broker 1", "broker 2"],
    ...["grader 0", "grader 1"],
  ]);
  // Faults that kill everything at one moment spare nothing.
  const alone = plan.filter(({ at }) => plan.filter((other) => other.at === at).length === 1);
  const [from, to] = [upgrades[0]!.at, upgrades[2]!.at];
  const killed = alone.filter(({ kind, part, index }) => kind === "kill" && part === "broker" && index === 2);
  expect(killed.length).toBeGreaterThan(0);
  expect(killed.filter(({ at }) => at > from && at < to)).toEqual([]);
});

it("an older release may be a folder, and anything else must be a revision", async () => {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-older-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await expect(prepareOlderRelease(folder, "")).rejects.toThrow("has no built broker (broker/dist/bin.js)");
  for (const part of ["broker", "grader"]) {
    mkdirSync(join(folder, "node_modules/@crowdai", part, "dist"), { recursive: true });
    writeFileSync(join(folder, "node_modules/@crowdai", part, "dist/bin.js"), "");
  }
  const { broker } = await prepareOlderRelease(folder, "");
  expect(broker).toBe(join(folder, "node_modules/@crowdai/broker/dist/bin.js"));
  await expect(prepareOlderRelease("no-such-release", "")).rejects.toThrow("no revision no-such-release");
});
