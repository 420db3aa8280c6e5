import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";

import { type Connection, saveConnection, testAddress } from "@/api/connections";
import { asProblem } from "@/lib/problem";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field, TextInput } from "@/ui/Field";
import { ErrorState } from "@/ui/states";
import { toast } from "@/ui/Toasts";

import { ProbeView } from "./ProbeView";
import styles from "./Settings.module.css";

interface ConnectionFormProps {
  edited: Connection | "new" | null;
  onClose: () => void;
}

/** A connection to make or to change; it can be tested before it is kept. */
export function ConnectionForm({ edited, onClose }: ConnectionFormProps) {
  const isNew = edited === "new";
  return (
    <Dialog
      isOpen={edited !== null}
      onClose={onClose}
      title={isNew ? "Add a connection" : `Change ${edited?.name ?? ""}`}
    >
      {edited && <Form connection={isNew ? null : edited} onClose={onClose} />}
    </Dialog>
  );
}

function Form({ connection, onClose }: { connection: Connection | null; onClose: () => void }) {
  const [name, setName] = useState(connection?.name ?? "");
  const [url, setUrl] = useState(connection?.base_url ?? "");
  const [key, setKey] = useState("");
  const queries = useQueryClient();
  const wanted = { base_url: url.trim(), api_key: key.trim() || null };
  const saving = useMutation({
    mutationFn: () => saveConnection(name.trim(), wanted),
    meta: { isShown: true },
    onSuccess: (saved) => {
      toast(`The connection ${saved.name} is kept`);
      void queries.invalidateQueries();
      onClose();
    },
  });
  const testing = useMutation({ mutationFn: () => testAddress(wanted), meta: { isShown: true } });
  const problem = saving.error ? asProblem(saving.error) : null;
  const at = (param: string) => (problem?.param === param ? problem.message : undefined);
  const isElsewhere = problem && !["name", "base_url", "api_key"].includes(problem.param ?? "");
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    saving.mutate();
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <Field
        label="Name"
        help={
          <>
            Its models are called <code>{name || "name"}/model</code>.
          </>
        }
        error={at("name")}
      >
        <TextInput
          required
          autoFocus
          disabled={connection !== null}
          placeholder="box"
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
      </Field>
      <Field label="Address" help="With or without /v1, as you have it." error={at("base_url")}>
        <TextInput
          required
          inputMode="url"
          placeholder="http://192.168.1.20:8080"
          value={url}
          onChange={(event) => setUrl(event.target.value)}
        />
      </Field>
      <Field
        label="Key"
        help={
          connection?.masked_key
            ? `It has ${connection.masked_key}. Type it again to keep one; empty means none.`
            : "If the server wants one. It is kept encrypted and never shown again."
        }
        error={at("api_key")}
      >
        <TextInput
          type="password"
          autoComplete="off"
          value={key}
          onChange={(event) => setKey(event.target.value)}
        />
      </Field>
      {isElsewhere && <ErrorState error={problem} />}
      {testing.error && <ErrorState error={testing.error} />}
      {testing.data && <ProbeView result={testing.data} />}
      <div className={styles.actions}>
        <Button isBusy={testing.isPending} disabled={!url.trim()} onClick={() => testing.mutate()}>
          Test
        </Button>
        <Button
          type="submit"
          kind="primary"
          isBusy={saving.isPending}
          disabled={!name.trim() || !url.trim()}
        >
          Keep
        </Button>
      </div>
    </form>
  );
}
