import { Menu as Base } from "@base-ui/react/menu";
import type { ReactElement, ReactNode } from "react";

import { cx } from "@/lib/cx";

import styles from "./Menu.module.css";

export interface MenuItem {
  label: string;
  icon?: ReactNode;
  isDangerous?: boolean;
  isOff?: boolean;
  onPick: () => void;
}

/** Commands behind a button. */
export function Menu({ trigger, items }: { trigger: ReactElement; items: readonly MenuItem[] }) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={4} align="end" className={styles.positioner}>
          <Base.Popup className={styles.popup}>
            {items.map((item) => (
              <Base.Item
                key={item.label}
                disabled={item.isOff ?? false}
                className={cx(styles.item, item.isDangerous && styles.danger)}
                onClick={item.onPick}
              >
                {item.icon}
                {item.label}
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
