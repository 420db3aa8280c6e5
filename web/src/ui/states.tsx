import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";

import { asProblem } from "@/lib/problem";

import { Button } from "./Button";
import styles from "./states.module.css";

interface EmptyStateProps {
  icon?: ReactNode;
  title: string;
  /** What to do next. */
  children?: ReactNode;
  actions?: ReactNode;
}

/** What stands where there is nothing yet, and how there will be something. */
export function EmptyState({ icon, title, children, actions }: EmptyStateProps) {
  return (
    <div className={styles.state}>
      {icon && <div className={styles.icon}>{icon}</div>}
      <h2 className={styles.title}>{title}</h2>
      {children && <div className={styles.text}>{children}</div>}
      {actions && <div className={styles.actions}>{actions}</div>}
    </div>
  );
}

/** What happened and what to do, in the server's own words, never a stack. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  return (
    <div className={styles.error} role="alert">
      <CircleAlert aria-hidden />
      <p>{asProblem(error).message}</p>
      {onRetry && (
        <Button size="s" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** A grey shape in the place of what is being loaded, of about its size. */
export function Skeleton({ lines = 1 }: { lines?: number }) {
  return (
    <div className={styles.skeletons} role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} className={styles.skeleton} />
      ))}
    </div>
  );
}
