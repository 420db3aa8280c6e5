import { useState } from "react";

import { cx } from "@/lib/cx";
import { Field, TextArea } from "@/ui/Field";

import styles from "./Playground.module.css";

interface JsonBoxProps {
  label: string;
  help?: string | undefined;
  error?: string | undefined;
  value: unknown;
  /** Called with what the text says whenever it is JSON. */
  onChange: (value: unknown) => void;
  isTall?: boolean;
}

/** A value as JSON to edit; text that is none yet stays as it is typed, and says why it is none. */
export function JsonBox({ label, help, error, value, onChange, isTall }: JsonBoxProps) {
  const [text, setText] = useState(() =>
    value === undefined ? "" : JSON.stringify(value, null, 2),
  );
  const [fault, setFault] = useState<string>();
  const edit = (written: string) => {
    setText(written);
    try {
      onChange(written.trim() ? JSON.parse(written) : undefined);
      setFault(undefined);
    } catch (reason) {
      setFault(
        `This is not JSON yet: ${reason instanceof Error ? reason.message : String(reason)}`,
      );
    }
  };
  return (
    <Field label={label} help={help} error={fault ?? error}>
      <TextArea
        className={cx(styles.json, isTall && styles.tall)}
        value={text}
        rows={isTall ? 18 : 3}
        spellCheck={false}
        onChange={(event) => edit(event.target.value)}
      />
    </Field>
  );
}
