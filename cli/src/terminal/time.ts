/** Returns a time in the time zone of this machine, such as `2026-11-23 14:00:05`. */
export function localTime(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Returns a time with its zone, such as `2026-11-23 14:00:05 UTC+01:00`. */
export function zonedTime(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  return `${localTime(iso)} ${zoneName(-at.getTimezoneOffset())}`;
}

/** Returns a time to the minute with its zone, for tables: `2026-11-23 14:00 UTC+01:00`. */
export function minuteText(iso: string): string {
  return zonedTime(iso).replace(/(\d\d:\d\d):\d\d/, "$1");
}

/** Returns the distance of a time from now, such as `3 min ago` or `in 2 h`. */
export function relativeTime(iso: string, now: number = Date.now()): string {
  const seconds = Math.round((Date.parse(iso) - now) / 1000);
  if (Number.isNaN(seconds)) return "";
  const size = Math.abs(seconds);
  const [amount, unit] =
    size < 60
      ? [size, "s"]
      : size < 3600
        ? [Math.round(size / 60), "min"]
        : size < 48 * 3600
          ? [Math.round(size / 3600), "h"]
          : [Math.round(size / 86_400), "days"];
  return seconds <= 0 ? `${amount} ${unit} ago` : `in ${amount} ${unit}`;
}

/** Returns a length of time, such as `12 s`, `3 min` or `2 h 5 min`. */
export function durationText(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h${minutes % 60 > 0 ? ` ${minutes % 60} min` : ""}`;
}

/**
 * Returns a time with its zone and its distance from now, such as `2026-11-23 14:00:05 UTC+01:00 (in 2 h)`.
 */
export function timeText(iso: string, now: number = Date.now()): string {
  if (Number.isNaN(Date.parse(iso))) return iso;
  return `${zonedTime(iso)} (${relativeTime(iso, now)})`;
}

/**
 * Returns the name of a time zone, given its minutes ahead of UTC: `UTC`, or its offset, such as `UTC-03:30`.
 */
export function zoneName(minutes: number): string {
  if (minutes === 0) return "UTC";
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "-" : "+"}${two(size / 60)}:${two(size % 60)}`;
}
