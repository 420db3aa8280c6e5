import { useEffect, useEffectEvent } from "react";

export const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** A key with its modifiers, such as `mod+k`, `mod+shift+o`, `escape`, `?`; `mod` is Ctrl or ⌘. */
export type Shortcut = string;

/** How a shortcut is written for people: `Ctrl K`, or `⌘ K` on a Mac. */
export function shownKeys(shortcut: Shortcut): string[] {
  const names: Record<string, string> = {
    mod: isMac ? "⌘" : "Ctrl",
    shift: isMac ? "⇧" : "Shift",
    alt: isMac ? "⌥" : "Alt",
    escape: "Esc",
    enter: "Enter",
    arrowup: "↑",
    arrowdown: "↓",
  };
  return shortcut.split("+").map((key) => names[key] ?? key.toUpperCase());
}

/** Whether a key event is this shortcut. */
export function matches(event: KeyboardEvent, shortcut: Shortcut): boolean {
  const parts = shortcut.split("+");
  const key = parts.at(-1)!;
  const mod = isMac ? event.metaKey : event.ctrlKey;
  const isSymbol = key.length === 1 && !/[a-z0-9]/.test(key); // its layout may need Shift
  return (
    event.key.toLowerCase() === key &&
    mod === parts.includes("mod") &&
    event.altKey === parts.includes("alt") &&
    (isSymbol || event.shiftKey === parts.includes("shift"))
  );
}

/** Whether keys typed there are text. */
function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** Run `action` on a shortcut while the component is shown. One without `mod` keeps out of text. */
export function useShortcut(shortcut: Shortcut, action: () => void, isOn = true): void {
  const act = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || !matches(event, shortcut)) return;
    if (!shortcut.includes("mod") && shortcut !== "escape" && isTyping(event.target)) return;
    event.preventDefault();
    action();
  });
  useEffect(() => {
    if (!isOn) return;
    const listen = (event: KeyboardEvent) => act(event);
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [isOn]);
}
