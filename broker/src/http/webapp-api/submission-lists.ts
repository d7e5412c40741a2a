import type { SubmissionState } from "@crowdai/shared";
import type { ExpressionBuilder } from "kysely";
import { COUNTS } from "../../domain/leaderboard/boards.ts";
import type { Db } from "../../records/records.ts";
import type { Tables } from "../../records/tables.ts";
import { roundOfNumber } from "./challenge-numbers.ts";
import type { Parameters } from "./parameters.ts";
import type { NamedRow } from "./submission-object.ts";
import { texts } from "./texts.ts";
import { Refusal } from "./webapp-errors.ts";

/**
 * Lists a challenge's submissions in order of arrival, filtered by `grading_status`, `after` and
 * `challenge_round_id`.
 */
export async function listWebappSubmissions(
  db: Db,
  challenge: string,
  parameters: Parameters,
): Promise<{ number: number }[]> {
  return (await filtered(db, challenge, parameters)).select("submissions.number").execute();
}

/** Lists the same submissions with all their columns. */
export async function listWholeSubmissions(
  db: Db,
  challenge: string,
  parameters: Parameters,
): Promise<NamedRow[]> {
  const rows = await filtered(db, challenge, parameters);
  return rows.selectAll("submissions").select("participants.name as participant").execute();
}

async function filtered(db: Db, challenge: string, parameters: Parameters) {
  const status = parameters.text("grading_status");
  const round = parameters.text("challenge_round_id");
  const after = parameters.text("after");
  let query = db
    .selectFrom("submissions")
    .innerJoin("participants", "participants.id", "submissions.participant_id")
    .where("challenge", "=", challenge)
    .where("function", "=", "submit")
    .where("dry_run", "=", 0)
    // The webapp makes its boards of these.
    .where((eb) => eb.or([eb("submissions.state", "!=", "graded"), COUNTS]))
    .orderBy("submissions.number");
  if (status !== null) query = query.where((eb) => readsAs(eb, status));
  // An unknown round has no submissions.
  if (round !== null) query = query.where("round", "=", (await roundOfNumber(db, challenge, round)) ?? "");
  if (after !== null) query = query.where("submissions.created_at", ">=", readTime(after));
  return query;
}

/** Selects the rows that have a status: the inverse of readStatus. */
function readsAs(eb: ExpressionBuilder<Tables, "submissions">, status: string) {
  const isIn = (...states: SubmissionState[]) => eb("submissions.state", "in", states);
  const isBegun = eb("submissions.outside_status", "=", "initiated");
  switch (status) {
    case "ready":
      return isIn("initiated");
    case "initiated":
      return eb.and([isIn("submitted"), isBegun]);
    case "submitted":
      return eb.and([
        isIn("submitted", "grading"),
        eb.or([eb("submissions.outside_status", "is", null), eb.not(isBegun)]),
      ]);
    case "graded":
      return isIn("graded");
    case "failed":
      return isIn("failed", "cancelled");
    default:
      return eb.lit(false);
  }
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)\s*(Z|UTC|[+-]\d\d:?\d\d)?)?$/;

/**
 * Reads a time as callers write it, in UTC by default. The original responded to an invalid one with a server
 * error.
 */
function readTime(text: string): string {
  const [, date, clock = "00:00", zone = "Z"] = TIME.exec(text.trim()) ?? [];
  const time = Date.parse(`${date}T${clock}${zone === "UTC" ? "Z" : zone}`);
  if (Number.isNaN(time)) throw new Refusal(texts.serverError, 500);
  return new Date(time).toISOString();
}
