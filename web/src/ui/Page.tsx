import type { ReactNode } from "react";

import { cx } from "@/lib/cx";

import styles from "./Page.module.css";

interface PageProps {
  title: string;
  /** A sentence under the title. */
  intro?: ReactNode;
  /** Buttons beside the title. */
  actions?: ReactNode;
  /** `wide` takes the whole width, for tables and columns. */
  width?: "text" | "wide";
  children: ReactNode;
}

/** A screen that scrolls as one: its title, and what is below. */
export function Page({ title, intro, actions, width = "text", children }: PageProps) {
  return (
    <div className={styles.scroll}>
      <div className={cx(styles.page, styles[width])}>
        <header className={styles.head}>
          <div>
            <h1 className={styles.title}>{title}</h1>
            {intro && <p className={styles.intro}>{intro}</p>}
          </div>
          {actions && <div className={styles.actions}>{actions}</div>}
        </header>
        {children}
      </div>
    </div>
  );
}

/** A part of a page with a heading of its own. */
export function Section({
  title,
  intro,
  actions,
  children,
}: {
  title: string;
  intro?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className={styles.section}>
      <header className={styles.head}>
        <div>
          <h2 className={styles.subtitle}>{title}</h2>
          {intro && <p className={styles.intro}>{intro}</p>}
        </div>
        {actions && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </section>
  );
}

/** A surface that holds what belongs together. */
export function Card({
  children,
  className,
}: {
  children: ReactNode;
  className?: string | undefined;
}) {
  return <div className={cx(styles.card, className)}>{children}</div>;
}
