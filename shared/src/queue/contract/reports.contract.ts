import { describe, expect, it } from "vitest";
import { ExactNumber, stringifyExact } from "../../protocol/exact-json.ts";
import type { Outcome } from "../../protocol/job.ts";
import type { Stage } from "./queue-stage.ts";
import { numberOf, reportOf } from "./samples.ts";
import { until } from "./wait-until.ts";

export function reportsContract(stage: Stage): void {
  describe("reports", () => {
    it("of a submission arrive unchanged and in order", async () => {
      const receiver = stage.receive();
      const sent = Array.from({ length: 50 }, (_, i) => reportOf("s", i));
      await Promise.all(sent.map((report) => stage.queue.report(report)));
      await until(() => receiver.applied().length >= sent.length);
      expect(receiver.applied()).toEqual(sent);
    });

    it("arrive with every digit of their numbers", async () => {
      const receiver = stage.receive();
      const outcome: Outcome = {
        ok: true,
        ...{
          score: 1,
          score_secondary: null,
          message: null,
          media: null,
          artifacts: [],
          evaluator_version: "1",
        },
        meta: { id: new ExactNumber("9007199254740993") },
        data: [new ExactNumber("0.12345678901234567890")],
      };
      const finished = { type: "finished", outcome, organiser_log: "", seconds: null } as const;
      await stage.queue.report({ ...reportOf("s", 1), ...finished });
      await until(() => receiver.applied().length === 1);
      const text = stringifyExact(receiver.applied()[0]);
      for (const number of ["9007199254740993", "0.12345678901234567890"]) expect(text).toContain(number);
    });

    it("sent before any receiver was attached are kept", async () => {
      const reported = stage.queue.report(reportOf("s", 1));
      const receiver = stage.receive();
      await reported;
      await until(() => receiver.applied().length === 1);
      expect(receiver.applied()).toEqual([reportOf("s", 1)]);
    });

    it("are delivered again when applying them fails, before later ones", async () => {
      const tried: number[] = [];
      const receiver = stage.receive(async (report) => {
        tried.push(numberOf(report));
        if (numberOf(report) === 1 && tried.length <= 3) throw new Error("the records are busy");
      });
      await Promise.all([0, 1, 2].map((i) => stage.queue.report(reportOf("s", i))));
      await until(() => receiver.applied().length === 3);
      expect(receiver.applied().map(numberOf)).toEqual([0, 1, 2]);
      expect(tried).toEqual([0, 1, 1, 1, 2]);
    });

    it("of one submission do not wait for those of another", async () => {
      const receiver = stage.receive(async (report) => {
        if (report.submission === "stuck") throw new Error("never");
      });
      const stuck = stage.queue.report(reportOf("stuck", 1)).catch(() => {});
      await stage.queue.report(reportOf("fine", 1));
      await until(() => receiver.applied().length > 0);
      expect(receiver.applied()[0]?.submission).toBe("fine");
      await receiver.stop();
      stage.receive();
      await stuck;
    });

    it("that a receiver did not apply before it stopped go to the next", async () => {
      const first = stage.receive(async () => {
        throw new Error("stopping");
      });
      const reported = stage.queue.report(reportOf("s", 7));
      await until(() => first.tried() > 0);
      await first.stop();
      const second = stage.receive();
      await reported;
      await until(() => second.applied().length === 1);
      expect(second.applied()).toEqual([reportOf("s", 7)]);
    });

    it("are finished: a receiver that stops has applied its current one", async () => {
      const gate = Promise.withResolvers<void>();
      let finished = false;
      const receiver = stage.receive(async () => {
        await gate.promise;
        finished = true;
      });
      const reported = stage.queue.report(reportOf("s", 1));
      await until(() => receiver.tried() === 1);
      const stopped = receiver.stop();
      gate.resolve();
      await stopped;
      expect(finished).toBe(true);
      await Promise.race([reported, Promise.resolve()]);
    });
  });
}
