import styles from "./Spinner.module.css";

/** Says that something is under way; give it a label where no text beside it does. */
export function Spinner({ label }: { label?: string }) {
  return <span className={styles.spinner} role={label ? "status" : undefined} aria-label={label} />;
}
