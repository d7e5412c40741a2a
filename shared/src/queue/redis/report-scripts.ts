import { script } from "./script.ts";

/** Args: submission and text of each report. */
export const REPORT = script(`
while at < #ARGV do
  local submission, report = arg(), arg()
  redis.call('XADD', base .. ':reports', '*', 's', submission, 'r', report)
end
`);

/**
 * Makes the caller the reader of reports, or renews that. Args: the caller, for how long in ms. Replies with
 * 1 on success.
 */
export const READ_REPORTS = script(`
local me, lease = arg(), number()
local lock = base .. ':reader'
if redis.call('GET', lock) == me then return redis.call('PEXPIRE', lock, lease) end
return redis.call('SET', lock, me, 'NX', 'PX', lease) and 1 or 0
`);

/** Ends the reader's lease. Args: the caller. */
export const STOP_READING = script(`
local lock = base .. ':reader'
if redis.call('GET', lock) == arg() then redis.call('DEL', lock) end
`);
