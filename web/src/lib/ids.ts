/** A new identifier that sorts by when it was made: 48 bits of milliseconds, then 80 random ones. */
export function newId(kind: string): string {
  const time = Date.now().toString(16).padStart(12, "0");
  const random = crypto.getRandomValues(new Uint8Array(10));
  const tail = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${kind}_${time}${tail}`;
}
