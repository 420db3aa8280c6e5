import { RotateCcw } from "lucide-react";

import type { ChatParameters } from "@/api/chat";
import { IconButton } from "@/ui/Button";
import { Field, Slider, TextArea, TextInput } from "@/ui/Field";

import type { Beginning } from "./chat";
import { ModelPicker } from "./ModelPicker";
import styles from "./Options.module.css";

interface OptionsProps {
  value: Beginning;
  onChange: (changed: Partial<Beginning>) => void;
}

/** What the next answer is asked with. A parameter that is not set is the model's own. */
export function Options({ value, onChange }: OptionsProps) {
  const { parameters } = value;
  const set = (changed: Partial<ChatParameters>) => {
    // JSON leaves out what is undefined, so that the model's own value holds.
    onChange({ parameters: { ...parameters, ...changed } });
  };
  return (
    <div className={styles.options}>
      <div className={styles.model}>
        <ModelPicker value={value.model} onPick={(model) => onChange({ model })} />
      </div>
      <Field label="System message" help="What the model is told before everything else.">
        <TextArea
          rows={5}
          placeholder="You answer in one short paragraph."
          value={value.system}
          onChange={(event) => onChange({ system: event.target.value })}
        />
      </Field>
      <Fraction
        label="Temperature"
        help="Low keeps to the likely, high dares more."
        most={2}
        value={parameters.temperature}
        onChange={(temperature) => set({ temperature })}
      />
      <Fraction
        label="Top P"
        help="Only the likeliest tokens that together reach this share are considered."
        most={1}
        value={parameters.top_p}
        onChange={(top_p) => set({ top_p })}
      />
      <Whole
        label="Most tokens of an answer"
        least={1}
        value={parameters.max_tokens}
        onChange={(max_tokens) => set({ max_tokens })}
      />
      <Whole
        label="Seed"
        help="The same seed gives the same answer again."
        least={0}
        value={parameters.seed}
        onChange={(seed) => set({ seed })}
      />
    </div>
  );
}

interface ParameterProps {
  label: string;
  help?: string;
  value: number | undefined;
  onChange: (value: number | undefined) => void;
}

function Fraction({ label, help, most, value, onChange }: ParameterProps & { most: number }) {
  const aside = (
    <span className={styles.aside}>
      {value === undefined ? "the model's own" : value.toFixed(2)}
      {value !== undefined && (
        <IconButton
          size="s"
          label={`Leave ${label} to the model`}
          icon={<RotateCcw />}
          onClick={() => onChange(undefined)}
        />
      )}
    </span>
  );
  return (
    <Field label={label} help={help} aside={aside}>
      <Slider
        min={0}
        max={most}
        step={0.05}
        value={value ?? most / 2}
        data-unset={value === undefined || undefined}
        aria-valuetext={value === undefined ? "the model's own" : value.toFixed(2)}
        onChange={(event) => onChange(event.target.valueAsNumber)}
      />
    </Field>
  );
}

function Whole({ label, help, least, value, onChange }: ParameterProps & { least: number }) {
  return (
    <Field label={label} help={help}>
      <TextInput
        inputMode="numeric"
        placeholder="the model's own"
        value={value ?? ""}
        onChange={(event) => {
          const digits = event.target.value.replace(/\D/g, "").slice(0, 9);
          onChange(digits ? Math.max(least, Number(digits)) : undefined);
        }}
      />
    </Field>
  );
}
