const decimal = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });

/** `4.5 MB`: powers of ten, as disks and downloads are told. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? decimal.format(value) : whole.format(value)} ${units[unit]}`;
}

/** `2 min 5 s`, `850 ms`. */
export function formatDuration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${decimal.format(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `12,345`, or with `digits` a rounded fraction. */
export function formatNumber(value: number, digits = 0): string {
  return digits ? decimal.format(value) : whole.format(value);
}

/** `just now`, `5 min ago`, `yesterday`, else the date. */
export function formatAge(then: number | string | Date, now = Date.now()): string {
  const at = new Date(then);
  const minutes = Math.floor((now - at.getTime()) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  if (minutes < 48 * 60) return "yesterday";
  return at.toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
}
