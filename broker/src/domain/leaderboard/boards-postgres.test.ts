import { describe } from "vitest";
import { missing } from "../../../../test/required-programs.ts";
import { createDatabase } from "../../../../test/shared-services.ts";
import { openPostgres } from "../../records/postgres.ts";
import { boardsContract } from "./boards.contract.ts";

describe.skipIf(missing("postgres", "setpriv"))("boards on PostgreSQL", () => {
  boardsContract(async () => openPostgres(await createDatabase()), [1, 2, 3]);
});
