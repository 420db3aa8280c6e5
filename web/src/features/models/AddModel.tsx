import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { type SyntheticEvent, useState } from "react";

import { pullsQuery, startPull } from "@/api/models";
import { Button } from "@/ui/Button";
import { Field, TextInput } from "@/ui/Field";
import { Card } from "@/ui/Page";

import styles from "./Models.module.css";

/** A name or an address in, and its download begins. */
export function AddModel() {
  const [source, setSource] = useState("");
  const queries = useQueryClient();
  const starting = useMutation({
    mutationFn: startPull,
    meta: { isShown: true },
    onSuccess: () => {
      setSource("");
      return queries.invalidateQueries({ queryKey: pullsQuery.queryKey });
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (source.trim()) starting.mutate(source.trim());
  };
  return (
    <Card>
      <form className={styles.add} onSubmit={submit}>
        <Field
          label="Install a model"
          help={
            <>
              A Hugging Face name or address (<code>hf:OWNER/REPO</code>, at the end{" "}
              <code>:Q4_K_M</code> for one size), <code>ollama:NAME:TAG</code>, or the URL of a
              .gguf file. Of several sizes, the best that fits this machine is taken.
            </>
          }
          error={starting.error?.message}
        >
          <TextInput
            value={source}
            placeholder="hf:Qwen/Qwen3-4B-GGUF"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            onChange={(event) => {
              setSource(event.target.value);
              starting.reset();
            }}
          />
        </Field>
        <Button
          type="submit"
          kind="primary"
          icon={<Download />}
          disabled={!source.trim()}
          isBusy={starting.isPending}
        >
          Install
        </Button>
      </form>
    </Card>
  );
}
