import type { ReactNode } from "react";

import styles from "./Table.module.css";

interface TableProps<T> {
  /** Its name for screen readers. */
  label: string;
  rows: readonly T[];
  keyOf: (row: T) => string;
  columns: readonly { head: string; cell: (row: T) => ReactNode; isNumber?: boolean }[];
}

/** A table of up to some hundred rows; on a phone it scrolls sideways. More go into `VirtualList`. */
export function Table<T>({ label, rows, keyOf, columns }: TableProps<T>) {
  return (
    <div className={styles.scroller} tabIndex={0} role="region" aria-label={label}>
      <table className={styles.table}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column.head}
                scope="col"
                className={column.isNumber ? styles.number : undefined}
              >
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column) => (
                <td key={column.head} className={column.isNumber ? styles.number : undefined}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
