import type { Db } from "../../records/records.ts";
import { mapPages, PAGE, pagesOf } from "./read-pages.ts";
import type { Table } from "./table.ts";

/** Lists what happened to each submission, as its participant was sent it. */
export function logTable(trx: Db, challenge: string): Table {
  return {
    name: "log",
    columns: { submission: "text", seq: "integer", at: "time", type: "text", data: "json" },
    pages: mapPages(
      pagesOf<Awaited<ReturnType<typeof readPage>>[number]>((last) => readPage(trx, challenge, last)),
      ({ number, ...row }) => row,
    ),
  };
}

const readPage = (trx: Db, challenge: string, last: { number: number; seq: number } | undefined) =>
  trx
    .selectFrom("submissions")
    .innerJoin("events", "events.submission", "submissions.id")
    .select(["submissions.number", "events.submission", "events.seq", "events.at", "events.type"])
    .select("events.data")
    .where("submissions.challenge", "=", challenge)
    .where("submissions.number", ">=", last?.number ?? 0)
    .where((eb) =>
      eb.or([eb("submissions.number", ">", last?.number ?? 0), eb("events.seq", ">", last?.seq ?? 0)]),
    )
    .orderBy("submissions.number")
    .orderBy("events.seq")
    .limit(PAGE)
    .execute();
