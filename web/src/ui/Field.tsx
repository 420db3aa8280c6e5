import { type ComponentProps, createContext, type ReactNode, use, useId } from "react";

import { cx } from "@/lib/cx";

import styles from "./Field.module.css";

interface Ids {
  control: string;
  help: string | undefined;
  isWrong: boolean;
}

const FieldIds = createContext<Ids | null>(null);

interface FieldProps {
  label: ReactNode;
  /** A sentence below the control. */
  help?: ReactNode;
  /** What is wrong with the value; takes the place of `help`. */
  error?: ReactNode;
  /** Beside the label, such as the value of a slider. */
  aside?: ReactNode;
  children: ReactNode;
}

/** A control with its label, and what is wrong with it. Any control below finds its ids by itself. */
export function Field({ label, help, error, aside, children }: FieldProps) {
  const id = useId();
  const told = error ?? help;
  const ids = { control: id, help: told ? `${id}-help` : undefined, isWrong: !!error };
  return (
    <div className={styles.field}>
      <div className={styles.head}>
        <label htmlFor={id}>{label}</label>
        {aside && <span className={styles.aside}>{aside}</span>}
      </div>
      <FieldIds value={ids}>{children}</FieldIds>
      {told && (
        <p
          id={ids.help}
          className={error ? styles.error : styles.help}
          role={error ? "alert" : undefined}
        >
          {told}
        </p>
      )}
    </div>
  );
}

function useControl() {
  const ids = use(FieldIds);
  if (!ids) return {};
  return {
    id: ids.control,
    "aria-describedby": ids.help,
    "aria-invalid": ids.isWrong || undefined,
  };
}

/** One line of text. */
export function TextInput({ className, ...rest }: ComponentProps<"input">) {
  return (
    <input type="text" className={cx(styles.control, className)} {...useControl()} {...rest} />
  );
}

/** Several lines of text. */
export function TextArea({ className, ...rest }: ComponentProps<"textarea">) {
  return (
    <textarea
      rows={4}
      className={cx(styles.control, styles.area, className)}
      {...useControl()}
      {...rest}
    />
  );
}

interface SelectProps extends Omit<ComponentProps<"select">, "children" | "onChange"> {
  options: readonly { value: string; label: string; isOff?: boolean }[];
  onPick: (value: string) => void;
}

/** One of a few: the browser's own list, which phones and screen readers know best. */
export function Select({ options, onPick, className, ...rest }: SelectProps) {
  return (
    <select
      className={cx(styles.control, styles.select, className)}
      onChange={(event) => onPick(event.target.value)}
      {...useControl()}
      {...rest}
    >
      {options.map((option) => (
        <option key={option.value} value={option.value} disabled={option.isOff}>
          {option.label}
        </option>
      ))}
    </select>
  );
}

/** A number between two others. */
export function Slider({ className, ...rest }: ComponentProps<"input">) {
  return (
    <input type="range" className={cx(styles.slider, className)} {...useControl()} {...rest} />
  );
}
