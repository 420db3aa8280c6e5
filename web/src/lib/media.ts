import { useSyncExternalStore } from "react";

/** Whether a media query matches now. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const list = matchMedia(query);
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    () => matchMedia(query).matches,
  );
}

/** Narrower than a tablet: panels become drawers. */
export const PHONE = "(max-width: 47.99rem)";
/** Too narrow for a side panel beside a list. */
export const NARROW = "(max-width: 71.99rem)";
