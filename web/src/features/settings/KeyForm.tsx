import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";

import { createKey, keysQuery, type NewKey } from "@/api/keys";
import { asProblem } from "@/lib/problem";
import { Button } from "@/ui/Button";
import { CodeView } from "@/ui/CodeView";
import { Dialog } from "@/ui/Dialog";
import { Field, TextInput } from "@/ui/Field";
import { ErrorState } from "@/ui/states";

import styles from "./Settings.module.css";

/** A key to make, and its text, which is shown this once. */
export function KeyForm({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const [made, setMade] = useState<NewKey | null>(null);
  const close = () => {
    onClose();
    setMade(null);
  };
  return (
    <Dialog
      isOpen={isOpen}
      onClose={close}
      title={made ? `The key ${made.name}` : "Make a key"}
      description={made && "Copy it now: it is shown this once, and never again."}
      actions={
        made && (
          <Button kind="primary" onClick={close}>
            I have copied it
          </Button>
        )
      }
    >
      {made ? <CodeView code={made.key} title="API key" /> : <Form onMade={setMade} />}
    </Dialog>
  );
}

function Form({ onMade }: { onMade: (key: NewKey) => void }) {
  const queries = useQueryClient();
  const making = useMutation({
    mutationFn: createKey,
    meta: { isShown: true },
    onSuccess: (key) => {
      onMade(key);
      void queries.invalidateQueries({ queryKey: keysQuery.queryKey });
    },
  });
  const problem = making.error ? asProblem(making.error) : null;
  const at = (param: string) => (problem?.param === param ? problem.message : undefined);
  const submit = (event: SyntheticEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => (form.get(name) as string | null)?.trim() ?? "";
    const models = text("models")
      .split(/[\s,]+/)
      .filter(Boolean);
    const until = text("until");
    making.mutate({
      name: text("name"),
      allowed_models: models.length ? models : null,
      requests_per_minute: Number(text("requests")) || null,
      tokens_per_minute: Number(text("tokens")) || null,
      expires_at: until ? new Date(`${until}T23:59:59`).toISOString() : null,
    });
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <Field label="Name" help="Who or what will use it." error={at("name")}>
        <TextInput name="name" required autoFocus maxLength={100} placeholder="notebook" />
      </Field>
      <details>
        <summary>Limits</summary>
        <div className={styles.form}>
          <p className={styles.quiet}>
            A key with any limit uses models and apps, and manages nothing.
          </p>
          <Field
            label="Models"
            help="Separated by commas; * stands for anything."
            error={at("allowed_models")}
          >
            <TextInput name="models" placeholder="all" />
          </Field>
          <Field label="Requests a minute" error={at("requests_per_minute")}>
            <TextInput name="requests" type="number" min={1} placeholder="no limit" />
          </Field>
          <Field label="Tokens a minute" error={at("tokens_per_minute")}>
            <TextInput name="tokens" type="number" min={1} placeholder="no limit" />
          </Field>
          <Field label="Last day" error={at("expires_at")}>
            <TextInput name="until" type="date" />
          </Field>
        </div>
      </details>
      {problem && !problem.param && <ErrorState error={problem} />}
      <div className={styles.actions}>
        <Button type="submit" kind="primary" isBusy={making.isPending}>
          Make the key
        </Button>
      </div>
    </form>
  );
}
