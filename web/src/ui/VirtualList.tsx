import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useRef } from "react";

import styles from "./VirtualList.module.css";

interface VirtualListProps<T> {
  /** Its name for screen readers. */
  label: string;
  items: readonly T[];
  keyOf: (item: T) => string;
  /** About how high a row is, in px; rows are measured as they come into sight. */
  rowHeight: number;
  children: (item: T, index: number) => ReactNode;
}

/** A list of any length that fills its parent and scrolls; only what is in sight is in the page. */
export function VirtualList<T>({ label, items, keyOf, rowHeight, children }: VirtualListProps<T>) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => keyOf(items[index]!),
    overscan: 12,
  });
  return (
    <div ref={scroller} className={styles.scroller}>
      <ul aria-label={label} className={styles.list} style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((row) => (
          <li
            key={row.key}
            ref={rows.measureElement}
            data-index={row.index}
            aria-setsize={items.length}
            aria-posinset={row.index + 1}
            className={styles.row}
            style={{ transform: `translateY(${row.start}px)` }}
          >
            {children(items[row.index]!, row.index)}
          </li>
        ))}
      </ul>
    </div>
  );
}
