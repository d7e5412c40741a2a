import type { Db } from "../../records/records.ts";
import { ALL_BOARDS, isPrevious, takeBoards } from "./boards.ts";
import { updateFinalStanding } from "./final-board.ts";
import { updateStanding } from "./standings.ts";

/** Rebuilds a participant's standings in a round, in the transaction that changed what counts of it. */
export async function recountParticipant(
  trx: Db,
  { challenge, round, participantId }: { challenge: string; round: string; participantId: number },
): Promise<void> {
  const { border, finals } = await takeBoards(trx, { challenge, round });
  for (const board of ALL_BOARDS)
    if (!isPrevious(board))
      await updateStanding(trx, { challenge, round, board, participantId, until: null });
    else if (border !== null)
      await updateStanding(trx, { challenge, round, board, participantId, until: border });
  if (finals > 0) await updateFinalStanding(trx, { challenge, round, participant_id: participantId }, finals);
}
