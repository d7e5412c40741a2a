import { CrowdaiError } from "@crowdai/shared";
import { expect, it } from "vitest";
import { databaseError, unwrittenDatabase } from "./unusable-database.ts";

const sqlite = (errcode: number | undefined) => Object.assign(new Error("why"), { errcode });

it.each([
  [11, "is damaged"],
  [26, "is damaged"],
  [8, "cannot be used"],
  [10, "cannot be used"],
  [13, "cannot be used"],
  [14, "cannot be used"],
  // An extended code: no space for a file in shared memory.
  [10 | (19 << 8), "cannot be used"],
])("SQLite's error %i says that the file %s", (errcode, what) => {
  const error = sqlite(errcode);
  expect(databaseError(error, "/data/records.sqlite")).toMatchObject({
    code: "data_unusable",
    message: `/data/records.sqlite ${what}: why.`,
    next: expect.stringContaining("choose another one with --data."),
    cause: error,
  });
});

it.each([sqlite(5), sqlite(1), sqlite(undefined), new CrowdaiError("data_in_use")])(
  "another error stays as it is: %s",
  (error) => {
    expect(databaseError(error, "records.sqlite")).toBe(error);
  },
);

it("a code of this program is not read as one of SQLite's", () => {
  const error = Object.assign(new CrowdaiError("usage"), { errcode: 11 });
  expect(databaseError(error, "records.sqlite")).toBe(error);
});

it("what did not reach the disk is reported with the file, the reason and what to do", () => {
  const error = new Error("EIO: i/o error");
  expect(unwrittenDatabase(error, "/data/records.sqlite")).toMatchObject({
    code: "data_unusable",
    message: "/data/records.sqlite could not be written to the disk: EIO: i/o error.",
    next: expect.stringContaining("nothing that it acknowledged is lost"),
    cause: error,
  });
});
