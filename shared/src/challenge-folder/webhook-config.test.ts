import { expect, it } from "vitest";
import { challengeConfigSchema } from "./challenge-config.ts";
import { shapeProblems } from "./shape-problems.ts";
import { WEBHOOK_EVENTS } from "./webhook-config.ts";

const parse = (webhooks: unknown) => {
  const raw = { id: "one", title: "One", score: {}, evaluator: { command: ["true"] }, webhooks };
  const parsed = challengeConfigSchema.safeParse(raw);
  return parsed.success
    ? parsed.data.webhooks
    : shapeProblems(parsed.error.issues, raw).map(({ field, expected, got }) =>
        [field, expected, got].join(" · "),
      );
};
const URL_EXPECTED = "an http:// or https:// address without a user, a password and a fragment";

it("a webhook receives every event, or those it names", () => {
  expect(parse(undefined)).toEqual([]);
  expect(parse([{ url: "https://a.test/x" }])).toEqual([{ url: "https://a.test/x", events: WEBHOOK_EVENTS }]);
  expect(parse([{ url: "https://a.test/x", events: ["challenge.closed"] }])).toMatchObject([
    { events: ["challenge.closed"] },
  ]);
});

it.each(["ftp://a.test", "a.test/secret", "https://ada:secret@a.test", "https://a.test/#x", "https://", ""])(
  "refuses the address %j, without repeating it",
  (url) => expect(parse([{ url }])).toEqual([`webhooks[0].url · ${URL_EXPECTED} · `]),
);

it("refuses unknown events, the same address twice, and more than 20", () => {
  expect(parse([{ url: "https://a.test", events: ["graded"] }])).toMatchObject([
    expect.stringContaining("submission.graded"),
  ]);
  expect(parse([{ url: "https://a.test" }, { url: "https://a.test/" }])).toEqual([
    "webhooks · each address once · ",
  ]);
  const many = Array.from({ length: 21 }, (_, index) => ({ url: `https://a.test/${index}` }));
  expect(parse(many)).toHaveLength(1);
});
