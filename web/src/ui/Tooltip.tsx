import { Tooltip as Base } from "@base-ui/react/tooltip";
import type { ReactElement } from "react";

import { Keys } from "./Keys";
import styles from "./Tooltip.module.css";

interface TooltipProps {
  label: string;
  shortcut?: string | undefined;
  children: ReactElement<Record<string, unknown>>;
}

/** A few words at what they are about, by hover and by focus. The child names itself. */
export function Tooltip({ label, shortcut, children }: TooltipProps) {
  return (
    <Base.Root>
      <Base.Trigger render={children} />
      <Base.Portal>
        <Base.Positioner sideOffset={6} className={styles.positioner}>
          <Base.Popup className={styles.popup}>
            {label}
            {shortcut && <Keys shortcut={shortcut} />}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
