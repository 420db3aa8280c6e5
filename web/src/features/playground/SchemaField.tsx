import { Plus, X } from "lucide-react";

import { readPicture } from "@/lib/pictures";
import { Button, IconButton } from "@/ui/Button";
import { Field, Select, TextArea, TextInput } from "@/ui/Field";
import { toastProblem } from "@/ui/Toasts";

import { JsonBox } from "./JsonBox";
import styles from "./Playground.module.css";
import { fresh, type JsonSchema, labelOf, plain, shapeOf, type Values } from "./schema";

interface SchemaFieldProps {
  name: string;
  schema: JsonSchema;
  /** Where references lead. */
  root: JsonSchema;
  value: unknown;
  isNeeded: boolean;
  error?: string | undefined;
  /** `undefined` leaves the field out, so that its default holds. */
  onChange: (value: unknown) => void;
}

/** One field of a form by its schema, with those in it. */
export function SchemaField(props: SchemaFieldProps) {
  const { name, root, value, isNeeded, error, onChange } = props;
  const schema = plain(props.schema, root);
  const shape = shapeOf(schema, name);
  const label = labelOf(name);
  const help = schema.description;
  const hint = schema.default === undefined || schema.default === null ? "" : said(schema.default);
  switch (shape.kind) {
    case "text": {
      if (value !== undefined && typeof value !== "string") {
        return (
          <JsonBox label={label} help={help} error={error} value={value} onChange={onChange} />
        );
      }
      const shared = {
        value: value ?? "",
        placeholder: hint,
        onChange: (event: { target: { value: string } }) =>
          onChange(event.target.value || (isNeeded ? "" : undefined)),
      };
      return (
        <Field label={label} help={help} error={error}>
          {shape.isLong ? (
            <TextArea rows={3} {...shared} />
          ) : (
            <TextInput list={name === "model" ? "models" : undefined} {...shared} />
          )}
        </Field>
      );
    }
    case "number":
      return (
        <Field label={label} help={help} error={error}>
          <TextInput
            type="number"
            step={shape.isWhole ? 1 : "any"}
            min={shape.least}
            max={shape.most}
            value={typeof value === "number" ? value : ""}
            placeholder={hint}
            onChange={(event) =>
              onChange(event.target.value === "" ? undefined : Number(event.target.value))
            }
          />
        </Field>
      );
    case "switch":
      return (
        <Field label={label} help={help} error={error}>
          <Select
            value={typeof value === "boolean" ? String(value) : ""}
            onPick={(picked) => onChange(picked ? picked === "true" : undefined)}
            options={[
              { value: "", label: `By default: ${schema.default ? "yes" : "no"}` },
              { value: "true", label: "Yes" },
              { value: "false", label: "No" },
            ]}
          />
        </Field>
      );
    case "choice": {
      const options = shape.options.map((one) => ({ value: one, label: one }));
      const none = { value: "", label: hint ? `By default: ${hint}` : "Left out" };
      return (
        <Field label={label} help={help} error={error}>
          <Select
            value={typeof value === "string" ? value : ""}
            onPick={(picked) => onChange(picked || undefined)}
            options={isNeeded && value ? options : [none, ...options]}
          />
        </Field>
      );
    }
    case "file":
      return (
        <Field label={label} help={help} error={error}>
          <TextInput
            type="file"
            onChange={(event) => {
              const file = event.target.files?.[0];
              if (file) readPicture(file).then(onChange, toastProblem);
              else onChange(undefined);
            }}
          />
        </Field>
      );
    case "list":
      return <ListField {...props} label={label} help={help} item={shape.item} />;
    case "group":
      return (
        <GroupField
          label={label}
          schema={shape.schema}
          root={root}
          value={(value ?? {}) as Values}
          onChange={onChange}
        />
      );
    case "json":
      return <JsonBox label={label} help={help} error={error} value={value} onChange={onChange} />;
  }
}

interface ListFieldProps extends SchemaFieldProps {
  label: string;
  help: string | undefined;
  item: JsonSchema;
}

function ListField({ name, label, help, item, root, value, error, onChange }: ListFieldProps) {
  const entries: unknown[] = Array.isArray(value) ? value : [];
  const set = (list: unknown[]) => onChange(list.length ? list : undefined);
  return (
    <fieldset className={styles.list}>
      <legend>{label}</legend>
      {error ? (
        <p className={styles.bad} role="alert">
          {error}
        </p>
      ) : (
        help && <p className={styles.quiet}>{help}</p>
      )}
      {entries.map((entry, index) => (
        <div key={index} className={styles.entry}>
          <SchemaField
            name={plain(item, root).type === "object" ? `${index + 1}` : `${name} ${index + 1}`}
            schema={{ ...plain(item, root), description: "" }}
            root={root}
            value={entry}
            isNeeded
            onChange={(changed) => set(entries.map((one, at) => (at === index ? changed : one)))}
          />
          <IconButton
            label={`Remove ${label} ${index + 1}`}
            icon={<X />}
            size="s"
            onClick={() => set(entries.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      <Button
        size="s"
        icon={<Plus />}
        onClick={() => {
          const made = fresh(item, root);
          const isMessage = typeof made === "object" && made !== null && "role" in made;
          set([...entries, isMessage ? { ...made, content: "" } : made]);
        }}
      >
        Add<span className="visually-hidden"> to {label}</span>
      </Button>
    </fieldset>
  );
}

interface GroupFieldProps {
  label: string;
  schema: JsonSchema;
  root: JsonSchema;
  value: Values;
  onChange: (value: unknown) => void;
}

/** An object: the fields that it must have or has; the others would bury them, JSON has them all. */
function GroupField({ label, schema, root, value, onChange }: GroupFieldProps) {
  const names = Object.keys(schema.properties ?? {}).filter(
    (name) => schema.required?.includes(name) || value[name] !== undefined,
  );
  return (
    <div className={styles.group} role="group" aria-label={label}>
      {names.map((name) => (
        <SchemaField
          key={name}
          name={name}
          schema={{ ...schema.properties![name], description: "" }}
          root={root}
          value={value[name]}
          isNeeded
          onChange={(changed) => onChange({ ...value, [name]: changed })}
        />
      ))}
    </div>
  );
}

function said(value: unknown): string {
  if (Array.isArray(value) && !value.length) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
