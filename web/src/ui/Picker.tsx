import { Select as Base } from "@base-ui/react/select";
import { Check, ChevronDown } from "lucide-react";

import styles from "./Picker.module.css";

export interface PickerOption {
  value: string;
  label: string;
  /** A few quiet words about it. */
  detail?: string | undefined;
  group?: string;
}

interface PickerProps {
  /** Its name for screen readers. */
  label: string;
  value: string | null;
  onPick: (value: string) => void;
  options: readonly PickerOption[];
  /** Shown while nothing is picked. */
  placeholder: string;
}

/** One of many, each with some words about it, in groups; typing jumps to a name. */
export function Picker({ label, value, onPick, options, placeholder }: PickerProps) {
  const groups = [...new Set(options.map((option) => option.group ?? ""))];
  const items = options.map(({ value, label }) => ({ value, label }));
  return (
    <Base.Root items={items} value={value} onValueChange={(picked) => picked && onPick(picked)}>
      <Base.Trigger className={styles.trigger} aria-label={label}>
        <Base.Value placeholder={placeholder} />
        <ChevronDown aria-hidden />
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner
          className={styles.positioner}
          sideOffset={6}
          align="start"
          alignItemWithTrigger={false}
        >
          <Base.Popup className={styles.popup}>
            <Base.List>
              {groups.map((group) => (
                <Base.Group key={group}>
                  {group && <Base.GroupLabel className={styles.group}>{group}</Base.GroupLabel>}
                  {options
                    .filter((option) => (option.group ?? "") === group)
                    .map((option) => (
                      <Base.Item key={option.value} value={option.value} className={styles.item}>
                        <Base.ItemText className={styles.label}>{option.label}</Base.ItemText>
                        {option.detail && <span className={styles.detail}>{option.detail}</span>}
                        <Base.ItemIndicator className={styles.check}>
                          <Check aria-hidden />
                        </Base.ItemIndicator>
                      </Base.Item>
                    ))}
                </Base.Group>
              ))}
            </Base.List>
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
