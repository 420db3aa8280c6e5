import type { Problem } from "@/lib/problem";

import styles from "./Playground.module.css";
import { type JsonSchema, split, type Values } from "./schema";
import { SchemaField } from "./SchemaField";

interface SchemaFormProps {
  schema: JsonSchema;
  values: Values;
  onChange: (values: Values) => void;
  /** The fields in sight; the others are folded. */
  first: readonly string[];
  /** What the server found wrong, and where its fields are, such as `config`. */
  problem: Problem | null;
  place: string;
}

/** A form made of a schema: what most calls need in sight, the rest folded. */
export function SchemaForm({ schema, values, onChange, first, problem, place }: SchemaFormProps) {
  const [seen, folded] = split(schema, first);
  const isWrong = (name: string) => {
    const path = `${place}.${name}`;
    return problem?.param === path || problem?.param?.startsWith(`${path}.`);
  };
  const field = (name: string) => (
    <SchemaField
      key={name}
      name={name}
      schema={schema.properties![name]!}
      root={schema}
      value={values[name]}
      isNeeded={schema.required?.includes(name) ?? false}
      error={isWrong(name) ? problem?.message : undefined}
      onChange={(value) => {
        const rest = Object.fromEntries(Object.entries(values).filter(([one]) => one !== name));
        onChange(value === undefined ? rest : { ...rest, [name]: value });
      }}
    />
  );
  return (
    <div className={styles.form}>
      {seen.map(field)}
      {folded.length > 0 && (
        <details className={styles.folded} open={folded.some(isWrong) || undefined}>
          <summary>
            {seen.length ? "Advanced" : "All fields"} <span>{folded.length}</span>
          </summary>
          <div className={styles.form}>{folded.map(field)}</div>
        </details>
      )}
    </div>
  );
}
