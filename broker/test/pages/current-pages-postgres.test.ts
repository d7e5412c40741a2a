import { describe } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { createDatabase } from "../../../test/shared-services.ts";
import { openPostgres } from "../../src/records/postgres.ts";
import { currentPagesContract } from "./current-pages.contract.ts";

describe.skipIf(missing("postgres", "setpriv"))("pages of two brokers with one PostgreSQL", () => {
  let url: Promise<string> | undefined;
  currentPagesContract(async () => {
    url ??= createDatabase();
    return openPostgres(await url);
  });
});
