import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";

import { signIn } from "@/api/session";
import { asProblem } from "@/lib/problem";
import { Button } from "@/ui/Button";
import { Field, TextInput } from "@/ui/Field";
import { Mark } from "@/ui/Mark";

import styles from "./SignIn.module.css";

/** Asks for a key where this Ingle is not reached over loopback. */
export function SignIn() {
  const [key, setKey] = useState("");
  const queries = useQueryClient();
  const entering = useMutation({
    mutationFn: signIn,
    meta: { isShown: true },
    onSuccess: () => queries.resetQueries(),
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    entering.mutate(key.trim());
  };
  return (
    <main className={styles.page}>
      <form className={styles.form} onSubmit={submit}>
        <Mark size={44} />
        <h1>Come in to the warm</h1>
        <p>This Ingle is open to its network, so it asks for a key.</p>
        <Field
          label="API key"
          error={entering.error && asProblem(entering.error).message}
          help={
            <>
              <code>ingle up</code> showed the first one; <code>ingle keys create</code> makes more.
            </>
          }
        >
          <TextInput
            type="password"
            autoComplete="current-password"
            autoFocus
            placeholder="ik-…"
            value={key}
            onChange={(event) => setKey(event.target.value)}
          />
        </Field>
        <Button
          type="submit"
          kind="primary"
          size="l"
          isBusy={entering.isPending}
          disabled={!key.trim()}
        >
          Sign in
        </Button>
      </form>
    </main>
  );
}
