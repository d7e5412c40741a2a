import type { PlantedFault } from "./planted-fault.ts";

const nothing = { plant() {}, remove() {} };

/** A trigger that undoes or spoils a write. */
const trigger = (sql: string): PlantedFault => ({
  plant: (sqlite) => sqlite.exec(`create trigger planted ${sql}`),
  remove: (sqlite) => sqlite.exec("drop trigger planted"),
});

const IGNORED = "begin select raise(ignore); end";

/**
 * Faults of the records and of what a broker receives, which the simulation must find in code that is as it
 * is.
 */
export const faultsInRecords: Record<string, PlantedFault> = {
  /** Reports of an old attempt or delivery count as of the current one. */
  fence: {
    ...nothing,
    receive(sqlite, report) {
      const current = sqlite
        .prepare("select number, delivery from attempts where submission = ? order by number desc limit 1")
        .get(report.submission) as { number: number; delivery: number } | undefined;
      return current === undefined
        ? report
        : { ...report, attempt: current.number, delivery: Math.max(current.delivery, report.delivery) };
    },
  },
  "slot return": trigger(`before update on slots when new.state = 'returned' ${IGNORED}`),
  "slot charge": trigger(`before update on slots when new.state = 'charged' ${IGNORED}`),
  "slot reservation": trigger(`before insert on slots ${IGNORED}`),
  "deadline of grading": trigger(
    `after update of state on submissions when new.state = 'grading'
     begin update submissions set deadline_at = null where id = new.id; end`,
  ),
  "lost start of an attempt": trigger(`before insert on attempts when new.number > 1 ${IGNORED}`),
  "slot kept by no one": trigger(
    `after insert on slots begin update slots set state = 'returned' where submission = new.submission; end`,
  ),
  "marked as published too early": trigger(
    `after insert on attempts
     begin update attempts set published_at = '2026-01-01' where submission = new.submission; end`,
  ),
  "returned job stays in grading": trigger(
    `before update of state on submissions when old.state = 'grading' and new.state = 'submitted' ${IGNORED}`,
  ),
  "verdict without its event": trigger(`before insert on events when new.type = 'graded' ${IGNORED}`),
  "cancelled and graded": trigger(
    `after update of state on submissions when new.state = 'cancelled'
     begin update submissions set state = 'submitted' where id = new.id; end`,
  ),
  "gap in events": trigger(`before insert on events when new.type = 'grading' ${IGNORED}`),
  "standing not written": trigger(`before update on standings ${IGNORED}`),
  "accepted mark": trigger(
    `after update of accepted on attempts when new.accepted = 1
     begin update attempts set accepted = 0 where submission = new.submission and number = new.number; end`,
  ),
  "requeue without a new attempt": trigger(
    `after update of attempt on submissions when new.attempt > 1 and new.state = 'submitted'
     begin update submissions set attempt = 1 where id = new.id; end`,
  ),
};
