import { expect, it, onTestFinished } from "vitest";
import { openDomain } from "../../test/support/domain.ts";
import { ATTEMPT_COLUMNS, SUBMISSION_COLUMNS } from "./columns.ts";

it.each([
  ["submissions", SUBMISSION_COLUMNS],
  ["attempts", ATTEMPT_COLUMNS],
])("the columns that are read of %s are all that the table has", async (name, columns) => {
  const { records, close } = await openDomain();
  onTestFinished(close);
  const table = (await records.db.introspection.getTables()).find((found) => found.name === name);
  expect([...columns].sort()).toEqual(table!.columns.map((column) => column.name).sort());
});
