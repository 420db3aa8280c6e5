import { useId } from "react";

import styles from "./Segments.module.css";

interface SegmentsProps<T extends string> {
  label: string;
  value: T;
  onPick: (value: T) => void;
  options: readonly { value: T; label: string }[];
}

/** One of two to four, all in sight. */
export function Segments<T extends string>({ label, value, onPick, options }: SegmentsProps<T>) {
  const name = useId();
  return (
    <fieldset className={styles.segments}>
      <legend className="visually-hidden">{label}</legend>
      {options.map((option) => (
        <label key={option.value} className={styles.segment}>
          <input
            type="radio"
            name={name}
            className="visually-hidden"
            checked={option.value === value}
            onChange={() => onPick(option.value)}
          />
          {option.label}
        </label>
      ))}
    </fieldset>
  );
}
