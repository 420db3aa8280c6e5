import { type ReactNode, useEffect } from "react";

import { Signal } from "./signal";

/** Something that the page can do now, as the command palette lists it. */
export interface Command {
  id: string;
  label: string;
  group: string;
  icon?: ReactNode;
  shortcut?: string;
  run: () => void;
}

/** What all mounted components offer, the newest last. */
export const offered = new Signal<readonly Command[]>([]);

/** Offer commands while the component is shown. Memoise the list: a new one is offered anew. */
export function useCommands(commands: readonly Command[]): void {
  useEffect(() => {
    offered.set([...offered.get(), ...commands]);
    return () => offered.set(offered.get().filter((one) => !commands.includes(one)));
  }, [commands]);
}
