import styles from "./Progress.module.css";

/** How much of something is done; without `value` only that it moves. */
export function Progress({
  label,
  value,
  max = 1,
}: {
  label: string;
  value?: number | undefined;
  max?: number;
}) {
  return <progress className={styles.progress} aria-label={label} value={value} max={max} />;
}
