import type { ComponentProps, ReactNode } from "react";

import { cx } from "@/lib/cx";

import styles from "./Button.module.css";
import { Spinner } from "./Spinner";
import { Tooltip } from "./Tooltip";

interface Look {
  /** `primary` once on a screen; `quiet` has no frame; `danger` destroys. */
  kind?: "primary" | "plain" | "quiet" | "danger";
  size?: "s" | "m" | "l";
}

export interface ButtonProps extends ComponentProps<"button">, Look {
  icon?: ReactNode;
  /** Shows that it works, and takes no second click. */
  isBusy?: boolean;
}

/** A button with words. */
export function Button({
  kind = "plain",
  size = "m",
  icon,
  isBusy = false,
  children,
  className,
  disabled,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      className={cx(styles.button, styles[kind], styles[size], className)}
      disabled={disabled || isBusy}
      aria-busy={isBusy || undefined}
      {...rest}
    >
      {isBusy ? <Spinner /> : icon}
      {children}
    </button>
  );
}

export interface IconButtonProps extends Omit<ComponentProps<"button">, "children">, Look {
  /** What it does: its name for screen readers, and its tooltip. */
  label: string;
  icon: ReactNode;
  /** Shown in the tooltip, such as `mod+k`. */
  shortcut?: string;
}

/** A button that is an icon; its label shows as a tooltip. */
export function IconButton({
  label,
  icon,
  kind = "quiet",
  size = "m",
  shortcut,
  className,
  ...rest
}: IconButtonProps) {
  return (
    <Tooltip label={label} shortcut={shortcut}>
      <button
        type="button"
        aria-label={label}
        className={cx(styles.button, styles.icon, styles[kind], styles[size], className)}
        {...rest}
      >
        {icon}
      </button>
    </Tooltip>
  );
}
