import type { ReactNode } from "react";

import { cx } from "@/lib/cx";

import styles from "./Badge.module.css";

interface BadgeProps {
  tone?: "plain" | "accent" | "good" | "bad" | "warn";
  children: ReactNode;
}

/** A word about a thing. */
export function Badge({ tone = "plain", children }: BadgeProps) {
  return <span className={cx(styles.badge, styles[tone])}>{children}</span>;
}
